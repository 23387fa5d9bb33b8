import type { DomainError } from '@spanwise/kernel';
import { attemptReason } from '../domain/event/agent-event.ts';
import { isPoisoned, pauseAfterLosses } from '../domain/run/run.ts';
import { runDeadlineExceeded, runPoisoned } from '../domain/run/run-errors.ts';
import type { ClaimedRun, StartedRun } from '../domain/run/run-repository.ts';
import { pause } from './backoff.ts';
import type { DriveSignals } from './drive-signals.ts';
import { DrivenRun, type DriveRunDeps } from './driven-run.ts';
import { DecidedTooEarly } from './end-run.ts';
import { ExecutorSearch } from './executor-search.ts';
import { Expiry } from './expiry.ts';
import type { ExecutorEnd } from './ports/agent-runtime.ts';
import type { Caller } from './ports/caller.ts';
import { LeftUnpublished } from './publish-run.ts';
import { type AttemptEnd, attemptRun } from './run-attempt.ts';
import { dispatchOf } from './run-dispatch.ts';

/** What is said of an executor that was not asked. */
const stopped: ExecutorEnd = { outcome: { kind: 'aborted' }, usage: undefined };

/** What comes next for a run. */
type Step =
  /** It is over; perhaps another one follows it in its session. */
  | { readonly kind: 'over'; readonly next: StartedRun | undefined }
  /** It sleeps until its user answers. */
  | { readonly kind: 'waiting' }
  /** Another replica takes it. */
  | { readonly kind: 'released' }
  /** Something has changed: decide anew. */
  | { readonly kind: 'retry' }
  /** Another dispatch. */
  | { readonly kind: 'again'; readonly reason: number; readonly wasLost: boolean };

/**
 * Drives a run, dispatch by dispatch, until it is over, waits for its user, or goes to another replica. A lost executor is
 * replaced: claim, fence, dispatch. Whatever becomes of it, what is open is closed and every tool call has a result.
 */
export class DriveRun {
  readonly #deps: DriveRunDeps;

  constructor(deps: DriveRunDeps) {
    this.#deps = deps;
  }

  /** Resolves when the run is no longer driven here, with the run that follows it in its session. Never rejects. */
  async execute(
    taken: StartedRun | ClaimedRun,
    caller: Caller,
    signals: DriveSignals,
  ): Promise<StartedRun | undefined> {
    const { sessionId } = taken.run;
    const told = 'events' in taken ? taken.events.length : 0;
    const publisher = this.#deps.hub.open(sessionId, taken.lastSeq - told);
    using driven = new DrivenRun(this.#deps, taken, caller, publisher, signals);
    try {
      const step = await this.#drive(driven).catch((error: unknown) => releasedBy(driven, error));
      if (step.kind === 'released') {
        publisher.handOff();
      }
      return step.kind === 'over' ? step.next : undefined;
    } catch (error) {
      this.#deps.reports.lost(driven.run, error);
      publisher.handOff();
      return undefined;
    } finally {
      publisher.close();
    }
  }

  async #drive(driven: DrivenRun): Promise<Step> {
    await driven.restore();
    const search = new ExecutorSearch(this.#deps.clock);
    for (;;) {
      const step = await this.#dispatch(driven, search);
      if (step.kind !== 'again') {
        return step;
      }
      await driven.claim(step.reason, step.wasLost);
    }
  }

  /** One dispatch, until it is decided what comes next. */
  async #dispatch(driven: DrivenRun, search: ExecutorSearch): Promise<Exclude<Step, { kind: 'retry' }>> {
    using expiry = new Expiry(driven.run, this.#deps.clock.nowMs());
    for (;;) {
      driven.signals.lost.throwIfAborted();
      const step = await this.#step(driven, expiry.signal, search);
      if (step.kind !== 'retry') {
        return step;
      }
    }
  }

  async #step(driven: DrivenRun, expired: AbortSignal, search: ExecutorSearch): Promise<Step> {
    const { run, signals, writer, caller } = driven;
    const { runtime, context } = this.#deps;
    if (run.status === 'FINISHING') {
      // How it ends is decided, and may be published: it is never dispatched again. Guards: finishesDecidedClaim.
      return over(driven.end(stopped));
    }
    const reason = this.#reasonToStop(driven, expired, search);
    if (reason !== undefined) {
      return over(driven.stop(reason, false));
    }
    if (signals.leave.aborted) {
      await driven.release();
      return { kind: 'released' };
    }
    const interrupted = AbortSignal.any([signals.cancel, signals.leave, signals.lost, expired]);
    const pauseMs = Math.random() * pauseAfterLosses(run);
    if (pauseMs > 0) {
      await pause(pauseMs, interrupted);
    }
    if (!(await driven.fence(interrupted)) || !(await search.find(runtime, interrupted))) {
      return { kind: 'retry' };
    }
    const noteStop = () => driven.noteStop();
    signals.cancel.addEventListener('abort', noteStop, { once: true });
    const dispatch = dispatchOf(run, caller, writer.work, context);
    const end = await attemptRun(runtime, dispatch, writer, { ...signals, expired });
    signals.cancel.removeEventListener('abort', noteStop);
    return this.#afterAttempt(driven, end, expired, search);
  }

  async #afterAttempt(driven: DrivenRun, end: AttemptEnd, expired: AbortSignal, search: ExecutorSearch): Promise<Step> {
    const { signals } = driven;
    if (end.kind !== 'lost') {
      search.found();
    }
    switch (end.kind) {
      case 'finished':
        // An executor may hear of a cancel before its driver does.
        return over(isStopped(end.end, signals) ? driven.stop(end.end, true) : driven.end(end.end));
      case 'failed':
        return over(driven.end(this.#failed(end.error)));
      case 'waiting':
        return (await driven.wait())
          ? { kind: 'waiting' }
          : { kind: 'again', reason: attemptReason.resumed, wasLost: false };
      case 'detached':
        return signals.leave.aborted
          ? { kind: 'retry' }
          : { kind: 'again', reason: attemptReason.drained, wasLost: false };
      case 'silent':
        return { kind: 'retry' };
      case 'lost':
        search.lost(end.error, end.wasReached);
        return signals.leave.aborted || signals.cancel.aborted || expired.aborted
          ? { kind: 'retry' }
          : { kind: 'again', ...lostReason(end) };
    }
  }

  /** Why a run must not be dispatched again; undefined when it may. Guards: finishesCancelledClaim. */
  #reasonToStop({ run, signals }: DrivenRun, expired: AbortSignal, search: ExecutorSearch): ExecutorEnd | undefined {
    if (run.cancelRequestedAtMs !== undefined || signals.cancel.aborted) {
      return stopped;
    }
    if (isPoisoned(run)) {
      return this.#failed(runPoisoned(run.attempt));
    }
    if (expired.aborted) {
      return this.#failed(runDeadlineExceeded());
    }
    return search.isHopeless ? this.#failed(search.error) : undefined;
  }

  #failed(error: DomainError): ExecutorEnd {
    return { outcome: { kind: 'failed', error: this.#deps.toAgentError(error) }, usage: undefined };
  }
}

/** What this driver must not, or can not, end is for another one, which decides anew by what is stored. */
async function releasedBy(driven: DrivenRun, error: unknown): Promise<Step> {
  if (error instanceof DecidedTooEarly || error instanceof LeftUnpublished) {
    await driven.release();
    return { kind: 'released' };
  }
  throw error;
}

/** A replica that shuts down refuses runs: nobody was lost. */
function lostReason({ error, wasReached }: Extract<AttemptEnd, { kind: 'lost' }>) {
  return error.reason === 'SHUTTING_DOWN'
    ? { reason: attemptReason.drained, wasLost: false }
    : { reason: attemptReason.executorLost, wasLost: wasReached };
}

function isStopped({ outcome }: ExecutorEnd, { cancel }: DriveSignals): boolean {
  return cancel.aborted || outcome.kind === 'aborted';
}

async function over(next: Promise<StartedRun | undefined>): Promise<Step> {
  return { kind: 'over', next: await next };
}
