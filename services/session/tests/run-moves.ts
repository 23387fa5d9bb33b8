import type { SessionId } from '@spanwise/kernel';
import { attemptReason, eventTime, interruptKind } from '../src/domain/event/agent-event.ts';
import type { AppendPosition } from '../src/domain/event/event-log.ts';
import type { Run, RunEnding } from '../src/domain/run/run.ts';
import type { Claim, Finish, StartedRun, StartOutcome } from '../src/domain/run/run-repository.ts';
import { eventAt, newSession, planOf, startRequest } from './builders.ts';
import { ids, type Repositories } from './repository-sets.ts';

export const completed: RunEnding = { status: 'COMPLETED', finishReason: 1, usage: undefined };
export const cancelled: RunEnding = { status: 'CANCELLED', finishReason: 5, usage: undefined };
export const nowMs = 1_800_000_000_500;
/** As a replica looks for what is abandoned. */
export const look = { nowMs, cancelMs: 10_000, frozenCancelMs: 5000, staleLeaseMs: 9000, limit: 1000 };

/** What happens to runs in the contracts of their repositories. */
export function runMoves(repositories: () => Repositories) {
  const runs = () => repositories().runs;

  async function instance(leaseMs = 60_000): Promise<string> {
    const id = ids.uuid();
    await repositories().instances.register({ id, address: `http://${id}` }, leaseMs);
    return id;
  }

  async function startedRun(facts: Partial<Run> = {}): Promise<StartedRun & { readonly position: AppendPosition }> {
    const { id } = await repositories().sessions.create(newSession());
    const started = startedOf(await runs().start(startRequest(id), planOf({ requestId: ids.uuid(), ...facts })));
    return { ...started, position: positionOf(started) };
  }

  async function enqueue(
    sessionId: SessionId,
    busyPolicy: 'enqueue' | 'interrupt' | 'rollback' = 'enqueue',
  ): Promise<Run> {
    const request = startRequest(sessionId, { busyPolicy });
    const outcome = await runs().start(request, planOf({ requestId: request.requestId }));
    if (outcome.kind !== 'queued') {
      throw new Error(outcome.kind);
    }
    return outcome.run;
  }

  /** A run whose log has an INTERRUPT. */
  async function interruptedRun(expireMs?: number, kind: number = interruptKind.question) {
    const started = await startedRun({ ownerId: await instance(), deadlineAtMs: nowMs + 10_000 });
    return { ...started, ...(await raised(started.position, kind, expireMs)) };
  }

  /** Another INTERRUPT of a run. */
  async function raised(position: AppendPosition, kind: number, expireMs?: number) {
    const interrupt = {
      id: ids.uuid(),
      kind,
      callId: ids.uuid(),
      message: 'which one?',
      schemaJson: '{}',
      ...(expireMs === undefined ? {} : { expireTime: eventTime(expireMs) }),
    };
    const { sessionId, runId, epoch, lastSeq } = position;
    const event = eventAt(lastSeq + 1, sessionId, runId, epoch, { case: 'interrupt', value: { interrupt } });
    await repositories().log.append({ position, events: [event], contextRows: [] });
    return { interrupt, position: { ...position, lastSeq: lastSeq + 1 } };
  }

  const current = async ({ sessionId, id }: Run): Promise<Run> => {
    const run = await runs().find(sessionId, id);
    if (run === undefined) {
      throw new Error('no such run');
    }
    return run;
  };

  /** Ends a run that nobody has asked to roll back. Answers the next one. */
  async function finished(finish: Finish): Promise<StartedRun | undefined> {
    const next = await runs().finish(finish);
    if (next === 'rollback-requested') {
      throw new Error(next);
    }
    return next;
  }

  return { runs, instance, startedRun, enqueue, interruptedRun, raised, finished, current };
}

/** The begin of waiting. */
export function waitOf(position: AppendPosition) {
  const { sessionId, runId, epoch, lastSeq } = position;
  const data = { case: 'runWaiting', value: { interrupts: [] } } as const;
  const events = [eventAt(lastSeq + 1, sessionId, runId, epoch, data)];
  return { append: { position, events, contextRows: [] }, nowMs };
}

function startedOf(outcome: StartOutcome): StartedRun {
  if (outcome.kind !== 'started') {
    throw new Error(outcome.kind);
  }
  return outcome.started;
}

export function positionOf({ run, lastSeq, lastContextSeq }: StartedRun): AppendPosition {
  return { sessionId: run.sessionId, runId: run.id, epoch: run.epoch, lastSeq, lastContextSeq };
}

export function claimOf(run: Run, ownerId: string, wasLost = true): Claim {
  return {
    run,
    ownerId,
    wasLost,
    nowMs,
    announce: ({ run: claimed, lastSeq }, answers) => {
      const { sessionId, id, epoch, attempt } = claimed;
      const told = answers.map((answer, n) =>
        eventAt(lastSeq + n + 1, sessionId, id, epoch, { case: 'interruptAnswered', value: { answer } }),
      );
      const value = { attempt, reason: attemptReason.driverLost };
      return [...told, eventAt(lastSeq + told.length + 1, sessionId, id, epoch, { case: 'runAttempt', value })];
    },
  };
}

export function ownersAnswer({ sessionId, id }: Run, interruptId: string) {
  return { sessionId, runId: id, interruptId, answerJson: '"a"', answeredBy: 'alice', sealedToken: undefined };
}
