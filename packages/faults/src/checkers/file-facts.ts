import type { EventRow, Evidence, FileRow, LayerRow, RunRow } from '../evidence/evidence.ts';
import { contentHash, type FileCall, fileCalls } from './file-calls.ts';

/** What is known of the files of all runs. Sessions that were deleted are left out. */
export interface FileFacts {
  /** Runs that have ended, with what is known of each. */
  readonly ended: readonly EndedRun[];
  /** Versions of each file in the order of the changes that made them, by session and path. */
  readonly histories: ReadonlyMap<string, readonly PublishedFile[]>;
  readonly runs: ReadonlyMap<string, RunRow>;
  readonly calls: ReadonlyMap<string, readonly FileCall[]>;
}

/** A version of a file. */
export interface PublishedFile extends FileRow {
  /** The run that has written this content at this path; undefined when none has. */
  readonly run: RunRow | undefined;
}

export interface EndedRun {
  readonly run: RunRow;
  readonly layer: LayerRow | undefined;
  readonly calls: readonly FileCall[];
  /** Its events, in order. */
  readonly events: readonly EventRow[];
  /** Versions of files that it has written. */
  readonly published: readonly PublishedFile[];
}

const over: ReadonlySet<RunRow['status']> = new Set(['COMPLETED', 'CANCELLED', 'FAILED']);

export function fileFacts(evidence: Evidence): FileFacts {
  const kept = new Set(evidence.sessions.filter(({ isDeleted }) => !isDeleted).map(({ id }) => id));
  const runs = new Map(evidence.runs.filter(({ sessionId }) => kept.has(sessionId)).map((run) => [run.id, run]));
  const calls = fileCalls(evidence);
  const writers = writersOf(calls, runs);
  const published = evidence.files
    .filter(({ sessionId }) => kept.has(sessionId))
    .map((file) => ({ ...file, run: writers.get(`${file.sessionId} ${file.path} ${file.hash}`) }));
  const layers = new Map(evidence.layers.map((layer) => [layer.runId, layer]));
  const byRun = Map.groupBy(published, ({ run }) => run?.id);
  const events = Map.groupBy(evidence.events, ({ runId }) => runId);
  const ended = [...runs.values()]
    .filter(({ status }) => over.has(status))
    .map((run) => ({
      run,
      layer: layers.get(run.id),
      calls: calls.get(run.id) ?? [],
      events: events.get(run.id) ?? [],
      published: byRun.get(run.id) ?? [],
    }));
  return { ended, histories: Map.groupBy(published, historyKey), runs, calls };
}

export function historyKey({ sessionId, path }: Pick<FileRow, 'sessionId' | 'path'>): string {
  return `${sessionId} ${path}`;
}

/** Contents name their runs, so that whoever has written one is found by session, path and hash. */
function writersOf(
  calls: ReadonlyMap<string, readonly FileCall[]>,
  runs: ReadonlyMap<string, RunRow>,
): ReadonlyMap<string, RunRow> {
  const writes = [...calls.values()].flat().filter(({ tool }) => tool === 'write');
  return new Map(
    writes.flatMap(({ runId, path, content }) => {
      const run = runs.get(runId);
      return run === undefined ? [] : [[`${run.sessionId} ${path} ${contentHash(content)}`, run] as const];
    }),
  );
}
