import { Role, ToolOutcome } from '@spanwise/contracts/spanwise/type/v1/message';
import { contentHash } from '../../src/checkers/file-calls.ts';
import type { ContextRow, EventRow, Evidence, FileRow, LayerRow } from '../../src/evidence/evidence.ts';
import { turnText } from '../../src/provider/run-script.ts';
import { context, contextRow, eventRow, events, type Parts, run } from './good-evidence.ts';

export const path = '/workspace/report.txt';
const written = 'script-1 wrote this';

export const layer: LayerRow = { runId: 'run', state: 'PUBLISHED', entries: 0 };

export const file: FileRow = {
  sessionId: 'session',
  path,
  isOutput: true,
  head: 7,
  toHead: undefined,
  hash: contentHash(written),
  size: 19,
  isIntact: true,
};

const call = (callId: string, tool: string, content?: string): Parts[number] => ({
  part: { case: 'toolCall', value: { callId, tool, argumentsJson: JSON.stringify({ path, content }) } },
});
const answer = (callId: string): Parts[number] => ({ part: { case: 'toolResult', value: { callId } } });

/** A row of the log with the result of a call. */
export function resultRow(seq: number, callId: string, outcome: ToolOutcome, value: string): EventRow {
  const content = [{ content: { case: 'text' as const, value } }];
  return eventRow(seq, { case: 'toolResult', value: { callId, outcome, content } }, seq > 6 ? 2 : 1);
}

export const output = eventRow(
  10,
  { case: 'outputFile', value: { path, size: 19n, etag: contentHash(written), mediaType: 'text/plain' } },
  2,
);

/** The run of the good evidence; it looks for a file and writes it. */
const fileEvents: readonly EventRow[] = [
  ...events.slice(0, 5),
  resultRow(6, 'reads', ToolOutcome.ERROR, `There is nothing at ${path}. Use ls or glob to find what is there.`),
  ...events.slice(6, 7),
  resultRow(8, 'writes', ToolOutcome.OK, `Created ${path}: 19 bytes.`),
  ...events.slice(8, 9),
  output,
  ...events.slice(10),
];

const fileContext: readonly ContextRow[] = [
  ...context.slice(0, 1),
  contextRow(2, 'asks', Role.ASSISTANT, [
    { part: { case: 'text', value: { text: turnText('script-1', 0, 6) } } },
    call('reads', 'read'),
  ]),
  contextRow(3, 'answers', Role.TOOL, [answer('reads')]),
  contextRow(4, 'ends', Role.ASSISTANT, [
    { part: { case: 'text', value: { text: turnText('script-1', 1, 4) } } },
    call('writes', 'write', written),
  ]),
  contextRow(5, 'answered', Role.TOOL, [answer('writes')]),
];

/** Everything as it should be with a run that has written a file. */
export function goodFiles(changes: Partial<Evidence> = {}): Partial<Evidence> {
  return {
    ...{ events: fileEvents, context: fileContext, layers: [layer], files: [file] },
    ...{ effects: [], executions: [], views: [], ...changes },
  };
}

/** The same with these events in the place of those with their seqs. */
export function withEvents(...rows: readonly EventRow[]): readonly EventRow[] {
  return fileEvents.map((row) => rows.find(({ seq }) => seq === row.seq) ?? row);
}

const cancelled = eventRow(11, { case: 'runEnd', value: { outcome: 2 } }, 2);

/** Everything as it should be with a run that has written a file and was rolled back; `filesPublished`: too late for it. */
export function goodRollback(filesPublished = false, changes: Partial<Evidence> = {}): Partial<Evidence> {
  const told = eventRow(10, { case: 'runRolledBack', value: { filesPublished } }, 2);
  return goodFiles({
    runs: [{ ...run, status: 'CANCELLED', rollsBack: true }],
    events: withEvents(told, cancelled),
    context: fileContext.map((row) => ({ ...row, supersededAtSeq: 11 })),
    layers: [{ ...layer, state: filesPublished ? 'PUBLISHED' : 'ROLLED_BACK' }],
    files: filesPublished ? [file] : [],
    ...changes,
  });
}

/** The rows of the context of {@link goodFiles}: none of them was rolled back. */
export const keptContext = fileContext;
