import { finishReason } from '../domain/event/agent-event.ts';
import { fenced } from '../domain/event/event-errors.ts';
import { isOver, type Run, type RunEnding, type StoppedSpan } from '../domain/run/run.ts';
import { runtimeUnavailable } from '../domain/run/run-errors.ts';
import type { RunRepository } from '../domain/run/run-repository.ts';
import type { ErrorTranslator } from './error-translator.ts';
import type { ExecutorEnd } from './ports/agent-runtime.ts';
import type { DecidedEnd } from './publish-run.ts';

export interface DecideDeps {
  readonly runs: RunRepository;
  readonly toAgentError: ErrorTranslator;
}

export interface Wanted {
  /** What the executor says, or its driver. */
  readonly end: ExecutorEnd;
  /** What was going on when the run was to be cancelled. */
  readonly receipt: readonly StoppedSpan[] | undefined;
  /** Whether files are published with its end. */
  readonly mayHaveWritten: boolean;
}

/**
 * Decides how a run ends, durably: COMPLETED, and FAILED of a run that may have written, by FINISHING; CANCELLED by its flag.
 * May be repeated: what was decided stays. Throws FENCED when it is for somebody else to decide.
 * Guards: finishingUnlessCancelRequested, onlyTheFlagCancels, decidesFailureBeforePublishing, finishesDecidedClaim,
 * endsOnlyOwnCancelled.
 */
export async function decide(deps: DecideDeps, run: Run, wanted: Wanted): Promise<DecidedEnd> {
  const { runs } = deps;
  const { outcome, usage } = wanted.end;
  if (run.status === 'FINISHING' && run.ending !== undefined) {
    return asDecided(run.ending);
  }
  const ending = endingOf(deps, wanted);
  const isDurable = ending.status === 'COMPLETED' || wanted.mayHaveWritten;
  const begin = () => runs.beginFinishing(run.id, run.epoch, ending);
  // An executor that was stopped was most likely stopped by a cancel: then that is looked for first.
  if (isDurable && outcome.kind !== 'aborted' && (await begin())) {
    return asDecided(ending);
  }
  const stored = await runs.find(run.sessionId, run.id);
  if (stored === undefined || stored.epoch !== run.epoch || isOver(stored.status)) {
    throw fenced();
  }
  if (stored.status === 'FINISHING' && stored.ending !== undefined) {
    // It was decided before, by an attempt whose answer was lost.
    return asDecided(stored.ending);
  }
  // Only the durable flag makes a run cancelled, not that somebody stopped working on it.
  const { cancelRequestedAtMs, rollsBack } = stored;
  if (cancelRequestedAtMs !== undefined) {
    const { receipt } = wanted;
    const cancelled = { status: 'CANCELLED', finishReason: finishReason.cancelled, usage } as const;
    return { ending: { ...cancelled, ...(receipt && { receipt }) }, rollsBack, cancelRequestedAtMs };
  }
  // It fails when a cancel came in between: then that is decided.
  return !isDurable || (await begin()) ? asDecided(ending) : decide(deps, run, wanted);
}

function asDecided(ending: RunEnding): DecidedEnd {
  return { ending, rollsBack: false, cancelRequestedAtMs: undefined };
}

/** How the run ends without a cancel. */
function endingOf({ toAgentError }: DecideDeps, { end: { outcome, usage } }: Wanted): RunEnding {
  switch (outcome.kind) {
    case 'completed':
      return { status: 'COMPLETED', finishReason: outcome.finishReason, usage };
    case 'failed':
      return { status: 'FAILED', error: outcome.error, usage };
    case 'aborted':
      return { status: 'FAILED', error: toAgentError(runtimeUnavailable('ended without a reason')), usage };
  }
}
