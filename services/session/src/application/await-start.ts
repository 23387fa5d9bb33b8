import { isOver, type Run } from '../domain/run/run.ts';
import { runNotFound } from '../domain/run/run-errors.ts';
import type { RunRepository } from '../domain/run/run-repository.ts';
import { type FollowStep, handoffStep } from './follow-log.ts';
import { heartbeatMs } from './pace.ts';
import type { SessionHub } from './session-hub.ts';

/** How often a run in the queue is looked at when nothing is heard of it here. */
const lookMs = 1000;

export interface AwaitStartDeps {
  readonly runs: RunRepository;
  readonly hub: SessionHub;
}

/**
 * Waits for a queued run to begin, or to be cancelled before that, and answers it as it is then. Tells heartbeats
 * meanwhile. Undefined when the signal was aborted, or after a handoff. Throws TOO_MANY_WATCHERS, RUN_NOT_FOUND.
 */
export async function* awaitStart(
  { runs, hub }: AwaitStartDeps,
  { sessionId, id }: Run,
  afterSeq: number,
  signal: AbortSignal,
): AsyncGenerator<FollowStep, Run | undefined> {
  using changes = hub.awaitRun(sessionId);
  let silentMs = 0;
  while (!signal.aborted) {
    if (changes.handedOff !== undefined) {
      yield handoffStep(afterSeq, changes.handedOff);
      return undefined;
    }
    changes.restart();
    const run = await runs.find(sessionId, id);
    if (run === undefined) {
      throw runNotFound();
    }
    if (run.startSeq > 0 || isOver(run.status)) {
      return run;
    }
    const { kind } = await changes.take(lookMs, signal);
    silentMs += kind === 'silence' ? lookMs : 0;
    if (silentMs >= heartbeatMs) {
      silentMs = 0;
      yield { kind: 'heartbeat', lastSeq: afterSeq };
    }
  }
  return undefined;
}
