import type { CancelWorld } from './cancel.ts';
import { append, type Decision, type Guards, insert, nobody, type Outcome, runOf, type Write } from './protocol.ts';

export interface WaitingWorld extends CancelWorld {
  /** The interrupt's answer; empty while it has none. */
  answer: string;
  /** `wake_at` has passed. */
  isDue: boolean;
  /** What the two clients were told that answer `a` and `b`. */
  told: Record<'a' | 'b', '' | 'accepted' | 'refused'>;
}

export function isTold(log: readonly string[]): boolean {
  return log.some((entry) => entry.includes(' answered:'));
}

/** Without the guard only the replica that took the request knows that there is something to do, until it crashes. */
export function makeDue(next: WaitingWorld, isDurable: boolean): void {
  if (next.db.status === 'WAITING') {
    next.isDue ||= isDurable;
    const idle = next.drivers.find(({ run }) => run === nobody);
    if (!isDurable && idle !== undefined) {
      idle.candidate = next.db.epoch;
    }
  }
}

/** RUNNING → WAITING; `cancelled`: a cancel or the answer came first. Its own earlier commit is recognised before that. */
export function wait(next: WaitingWorld, guards: Guards, write: Write): Outcome | Decision {
  const row = runOf(next.db, write.run);
  const isForestalled =
    (row.cancel && guards.waitingUnlessCancelRequested) || (next.answer !== '' && guards.waitsOnlyForUnanswered);
  const outcome = append(next.db, guards, write, () => !isForestalled);
  if (outcome === 'committed') {
    Object.assign(row, { status: 'WAITING', owner: nobody });
    Object.assign(next.db, { status: 'WAITING' });
    next.isDue = false;
  }
  return outcome === 'fenced' && isForestalled && next.db.epoch === write.epoch ? 'cancelled' : outcome;
}

/** WAITING → RUNNING with a new epoch, the answer or that it expired, and RUN_ATTEMPT. */
export function resume(next: WaitingWorld, guards: Guards, d: number, readEpoch: number): boolean {
  const { db } = next;
  const row = runOf(db, 0);
  const isAsRead = row.status === 'WAITING' && db.epoch === readEpoch;
  if (!isAsRead && (guards.resumesOnlyWaiting || row.status !== 'RUNNING')) {
    return false;
  }
  Object.assign(row, { status: 'RUNNING', owner: d });
  Object.assign(db, { status: 'RUNNING', epoch: db.epoch + 1 });
  next.isDue = false;
  next.answer = row.cancel ? next.answer : next.answer || 'expired';
  const answered = row.cancel ? [] : [`answered:${next.answer}`];
  insert(db, { run: 0, epoch: db.epoch, expected: db.lastSeq, events: ['attempt', ...answered] });
  return true;
}

/** AnswerInterrupt, under the run's lock. */
export function accept(next: WaitingWorld, guards: Guards, answer: string): boolean {
  const { status } = runOf(next.db, 0);
  const isOpen = status === 'RUNNING' || status === 'WAITING';
  if (!isOpen || next.answer !== '') {
    const isSame = next.answer === answer;
    next.answer = guards.answersOnce || !isOpen ? next.answer : answer;
    return isSame || (isOpen && !guards.answersOnce);
  }
  next.answer = answer;
  makeDue(next, guards.answerMakesWaitingDue);
  if (!guards.oneWriterPerEpoch && status === 'RUNNING') {
    insert(next.db, { run: 0, epoch: next.db.epoch, expected: next.db.lastSeq, events: [`answered:${answer}`] });
  }
  return true;
}
