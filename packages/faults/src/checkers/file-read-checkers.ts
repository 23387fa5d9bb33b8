import type { Evidence, RunRow } from '../evidence/evidence.ts';
import { contentHash, type FileCall, leftBy } from './file-calls.ts';
import { type FileFacts, fileFacts, historyKey, type PublishedFile } from './file-facts.ts';
import { violation } from './log-checkers.ts';
import type { Violation } from './violation.ts';

/**
 * I21, reads: a run reads what it wrote itself before, else what the last run left that was published before it began. Also
 * of runs that go on or were rolled back.
 */
export function checkReads(evidence: Evidence): readonly Violation[] {
  const facts = fileFacts(evidence);
  const contents = contentsByHash(facts);
  return [...facts.calls].flatMap(([runId, calls]) => {
    const run = facts.runs.get(runId);
    return run === undefined ? [] : readFaults(run, calls, facts, contents);
  });
}

function readFaults(
  run: RunRow,
  calls: readonly FileCall[],
  { histories }: FileFacts,
  contents: ReadonlyMap<string, string>,
): readonly Violation[] {
  const reads = calls.filter(({ tool, fate, text }) => tool === 'read' && (fate === 'done' || isMissing(text)));
  return reads.flatMap(({ callId, path, seq, fate, text }) => {
    const versions = histories.get(historyKey({ sessionId: run.sessionId, path })) ?? [];
    const before = versions.findLast((file) => (file.run?.startSeq ?? 0) < run.startSeq);
    const allowed = allowedAt(path, seq, calls, before, contents);
    const isFine = fate === 'done' ? allowed.some((each) => each !== '' && text.includes(each)) : allowed.includes('');
    const expected = allowed.map((each) => (each === '' ? 'nothing' : `"${each}"`)).join(' or ');
    const seen = text.slice(0, 100);
    return isFine
      ? []
      : [violation('I21', `call ${callId} of run ${run.id} read "${seen}" at ${path}, not ${expected}`)];
  });
}

/** What a read may show; empty for a file that is not there. */
function allowedAt(
  path: string,
  seq: number,
  calls: readonly FileCall[],
  before: PublishedFile | undefined,
  contents: ReadonlyMap<string, string>,
): readonly string[] {
  const found = before === undefined ? '' : (contents.get(before.hash) ?? '');
  const { sure = found, perhaps } = leftBy(calls.filter((call) => call.path === path && call.seq < seq)).get(path) ?? {
    ...{ sure: undefined, perhaps: [] },
  };
  // Those of the same message come before it or after it.
  const beside = calls.filter((call) => call.path === path && call.seq === seq && call.tool === 'write');
  return [sure, ...perhaps, ...beside.map(({ content }) => content)];
}

function isMissing(text: string): boolean {
  return text.includes('There is nothing at');
}

function contentsByHash({ calls }: FileFacts): ReadonlyMap<string, string> {
  const writes = [...calls.values()].flat().filter(({ tool }) => tool === 'write');
  return new Map(writes.map(({ content }) => [contentHash(content), content]));
}
