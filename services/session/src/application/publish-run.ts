import { type Clock, DomainError, type ExecSpan, type IdGenerator } from '@spanwise/kernel';
import {
  eventTime,
  type RunRolledBack,
  spanKind,
  spanServiceName,
  spanStatus,
  type UnplacedEvent,
} from '../domain/event/agent-event.ts';
import type { Run, RunEnding } from '../domain/run/run.ts';
import { publishConflict } from '../domain/run/run-errors.ts';
import { Backoff } from './backoff.ts';
import type { DriveSignals } from './drive-signals.ts';
import type { ErrorTranslator } from './error-translator.ts';
import type { Caller } from './ports/caller.ts';
import type { FilesRequest, Publication, RunFiles } from './ports/run-files.ts';
import type { RunReports } from './ports/run-reports.ts';

/**
 * How long the end of a run waits for a filesystem service that is away, in milliseconds; from its cancel on, if that was
 * requested. Then the run ends without it, and its owner has the layer.
 */
const awayMs = 60_000;
/** What a try has at least, also when that time is over: a filesystem that is there answers sooner. */
const leastMs = 5_000;
/** OUTPUT_FILEs of a run at most. */
const maxOutputs = 1000;

export interface PublishRunDeps {
  readonly runFiles: RunFiles;
  readonly reports: RunReports;
  readonly clock: Clock;
  readonly ids: IdGenerator;
  readonly toAgentError: ErrorTranslator;
}

/** A run that comes to its end here. */
export interface EndingRun {
  readonly run: Run;
  readonly caller: Caller;
  readonly signals: Pick<DriveSignals, 'lost' | 'leave'>;
}

/** How a run is to end: durably decided, before its files are touched. */
export interface DecidedEnd {
  readonly ending: RunEnding;
  /** Files and context are taken back. */
  readonly rollsBack: boolean;
  readonly cancelRequestedAtMs: number | undefined;
}

/** What became of the files of a run, and what that makes of its ending. */
export interface PublishedEnd {
  readonly ending: RunEnding;
  /** The span of the call. */
  readonly spans: readonly UnplacedEvent[];
  /** What is told right before the terminal event. */
  readonly outputs: readonly UnplacedEvent['data'][];
  readonly files: Pick<RunRolledBack, 'fileChanges' | 'filesPublished'>;
}

/** Thrown when this process shuts down while filesystem is away: another replica publishes. */
export class LeftUnpublished extends Error {}

/**
 * Publishes what a run has written, or drops it. An ending that is decided is changed by nothing but files that could not be
 * published. Throws FENCED when the run is somebody else's by now, and LeftUnpublished.
 * Guards: decidesBeforePublishing, publishesBeforeFinish.
 */
export async function publishRun(deps: PublishRunDeps, ending: EndingRun, end: DecidedEnd): Promise<PublishedEnd> {
  const { run } = ending;
  const drops = end.rollsBack || (end.ending.status !== 'COMPLETED' && run.options.onCancel === 'drop');
  const span: ExecSpan = { id: deps.ids.spanId(), par: run.span.span.id };
  const request = { runId: run.id, epoch: run.epoch, caller: ending.caller, span: { ...run.span, span } };
  const startMs = deps.clock.nowMs();
  const outcome = await (drops ? rollback(deps, ending, end, request) : commit(deps, ending, end, request));
  const spans = fileSpan(run, span, drops ? 'RollbackRun' : 'CommitRun', startMs, deps.clock.nowMs(), outcome.failure);
  return { ...outcome, spans };
}

interface Outcome extends Omit<PublishedEnd, 'spans'> {
  /** Reason of what went wrong. */
  readonly failure?: string;
}

const noFiles = { fileChanges: 0, filesPublished: false };

async function rollback(
  deps: PublishRunDeps,
  ending: EndingRun,
  end: DecidedEnd,
  request: FilesRequest,
): Promise<Outcome> {
  try {
    const { changes, isPublished } = await patiently(deps, ending, end, (signal) =>
      deps.runFiles.rollback(request, signal),
    );
    return { ending: end.ending, outputs: [], files: { fileChanges: changes, filesPublished: isPublished } };
  } catch (error) {
    return { ...(await unpublished(deps, ending, end.ending, error)), ending: end.ending };
  }
}

async function commit(
  deps: PublishRunDeps,
  ending: EndingRun,
  end: DecidedEnd,
  request: FilesRequest,
): Promise<Outcome> {
  let publication: Publication;
  try {
    publication = await patiently(deps, ending, end, (signal) => deps.runFiles.commit(request, signal));
  } catch (error) {
    return unpublished(deps, ending, end.ending, error);
  }
  const { result, conflicts, outputs } = publication;
  if (result === 'partial' || result === 'conflict') {
    deps.reports.publishedInPart(ending.run, publication);
  }
  if (result === 'conflict') {
    const error = publishConflict(conflicts);
    return { ending: conflicting(deps, end.ending, error), outputs: [], files: noFiles, failure: error.reason };
  }
  const told = result === 'rolled-back' ? [] : outputs.slice(0, maxOutputs);
  return { ending: end.ending, outputs: told.map((value) => ({ case: 'outputFile', value })), files: noFiles };
}

/** Its owner has to decide first: the same input would not do better. A run that has failed keeps its own error. */
function conflicting({ toAgentError }: PublishRunDeps, ending: RunEnding, error: DomainError): RunEnding {
  return ending.status === 'FAILED' ? ending : failed(ending, { ...toAgentError(error), retryable: false });
}

/** A run that has completed does not count as that without its files; one that has not keeps its own ending. */
async function unpublished(
  deps: PublishRunDeps,
  { run, signals }: EndingRun,
  ending: RunEnding,
  error: unknown,
): Promise<Outcome> {
  signals.lost.throwIfAborted();
  if (!(error instanceof DomainError) || error.reason === 'FENCED') {
    throw error;
  }
  deps.reports.notPublished(run, error);
  const isFailed = ending.status === 'COMPLETED';
  const changed = isFailed ? failed(ending, deps.toAgentError(error)) : ending;
  return { ending: changed, outputs: [], files: noFiles, failure: error.reason };
}

function failed({ usage, receipt }: RunEnding, error: ReturnType<ErrorTranslator>): RunEnding {
  return { status: 'FAILED', error, usage, ...(receipt && { receipt }) };
}

/** Asks until filesystem answers, with growing pauses, as long as that is bearable. */
async function patiently<Answer>(
  { clock, reports }: PublishRunDeps,
  { run, signals }: EndingRun,
  { cancelRequestedAtMs = clock.nowMs() }: DecidedEnd,
  ask: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  const untilMs = clock.monotonicMs() + awayMs - Math.max(0, clock.nowMs() - cancelRequestedAtMs);
  const backoff = new Backoff();
  for (;;) {
    try {
      const limitMs = Math.max(leastMs, Math.ceil(untilMs - clock.monotonicMs()));
      const answer = await ask(AbortSignal.any([signals.lost, AbortSignal.timeout(limitMs)]));
      signals.lost.throwIfAborted();
      return answer;
    } catch (error) {
      signals.lost.throwIfAborted();
      const isAway = error instanceof DomainError && (error.kind === 'unavailable' || error.kind === 'deadline');
      if (!isAway || clock.monotonicMs() >= untilMs) {
        throw error;
      }
      reports.publishFailed(run, error);
      if (signals.leave.aborted) {
        throw new LeftUnpublished('the filesystem service is away', { cause: error });
      }
      await backoff.wait(AbortSignal.any([signals.lost, signals.leave]));
    }
  }
}

function fileSpan(
  run: Run,
  span: ExecSpan,
  name: string,
  startMs: number,
  endMs: number,
  failure: string | undefined,
): readonly UnplacedEvent[] {
  const { traceId } = run.span;
  const start = { kind: spanKind.file, name, traceId, service: spanServiceName, attributes: {} };
  const status = failure === undefined ? spanStatus.ok : spanStatus.error;
  return [
    { span, time: eventTime(startMs), data: { case: 'spanStart', value: start } },
    {
      span,
      time: eventTime(endMs),
      data: { case: 'spanEnd', value: { status, errorType: failure ?? '', attributes: {} } },
    },
  ];
}
