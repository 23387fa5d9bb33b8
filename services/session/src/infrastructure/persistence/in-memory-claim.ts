import type { InterruptAnswer } from '../../domain/event/agent-event.ts';
import { isOver, type Run } from '../../domain/run/run.ts';
import type { Claim, ClaimedRun } from '../../domain/run/run-repository.ts';
import { expiryOf, type InMemoryStore } from './in-memory-store.ts';

/** The claim of the in-memory repository. */
export function claimInMemory(store: InMemoryStore, claim: Claim): ClaimedRun | undefined {
  const { run: read, ownerId, nowMs } = claim;
  const entry = store.sessions.get(read.sessionId);
  const run = store.runs.get(read.id);
  const isCurrent = entry?.session.activeRunId === read.id && entry.session.epoch === read.epoch;
  if (entry === undefined || run === undefined || !isCurrent || isOver(run.status)) {
    return undefined;
  }
  const goesOn = run.status === 'WAITING' && run.cancelRequestedAtMs === undefined;
  if (goesOn && !mayGoOn(store, run, nowMs)) {
    return undefined;
  }
  const answers = takeAnswers(store, run);
  const { lastSeq, lastContextSeq, uid } = entry.session;
  const hasProgress = lastContextSeq > (store.progress.get(run.id) ?? 0);
  const { remainingMs, deadlineAtMs } = run;
  const resumed = { status: 'RUNNING', deadlineAtMs: remainingMs === undefined ? deadlineAtMs : nowMs + remainingMs };
  const claimed: Run = {
    ...run,
    ...(goesOn ? (resumed as Pick<Run, 'status' | 'deadlineAtMs'>) : {}),
    ownerId,
    epoch: run.epoch + 1,
    attempt: run.attempt + 1,
    lostAttempts: hasProgress ? 0 : run.lostAttempts + (claim.wasLost ? 1 : 0),
    remainingMs: undefined,
    wakeAtMs: undefined,
  };
  const events = claim.announce({ run: claimed, uid, lastSeq, lastContextSeq }, answers);
  const position = { sessionId: run.sessionId, runId: run.id, epoch: claimed.epoch, lastSeq, lastContextSeq };
  store.runs.set(run.id, claimed);
  store.progress.set(run.id, lastContextSeq);
  store.claimedAtMs.set(run.id, nowMs);
  store.place(entry, { position, events, contextRows: [] });
  entry.session = { ...entry.session, epoch: claimed.epoch, status: goesOn ? 'RUNNING' : entry.session.status };
  return { run: claimed, uid, lastSeq: lastSeq + events.length, lastContextSeq, events, answers };
}

/** Takes what nobody answered in time as expired, and tells whether the run has to wait no longer. */
function mayGoOn(store: InMemoryStore, run: Run, nowMs: number): boolean {
  const interrupts = store.interrupts.get(run.id) ?? [];
  for (const each of interrupts) {
    each.isSettled ||= expiryOf(each.interrupt) <= nowMs;
  }
  return (run.wakeAtMs ?? Infinity) <= nowMs || interrupts.every(({ isSettled }) => isSettled);
}

function takeAnswers(store: InMemoryStore, run: Run): readonly InterruptAnswer[] {
  const untold = (store.interrupts.get(run.id) ?? []).filter(({ isSettled, isTold }) => isSettled && !isTold);
  return untold.map((each) => {
    each.isTold = true;
    const { interrupt, answer } = each;
    return {
      interruptId: interrupt.id,
      callId: interrupt.callId,
      answerJson: answer?.json ?? '',
      expired: answer === undefined,
      answeredBy: answer?.by ?? '',
    };
  });
}
