import { type RunGuard, runGuards } from '../../src/domain/run/guards.ts';
import { isOver, type RunStatus, runStatusesBefore } from '../../src/domain/run/run.ts';
import type { SessionStatus } from '../../src/domain/session/session.ts';

/** Which guards are kept. */
export type Guards = Readonly<Record<RunGuard, boolean>>;

export const guardNames = Object.keys(runGuards) as RunGuard[];

/** All guards but these. */
export function guardsWithout(...off: readonly RunGuard[]): Guards {
  return Object.fromEntries(guardNames.map((name) => [name, !off.includes(name)])) as Guards;
}

/** Nobody, or an owner whose lease has ended: to a claim it is the same. */
export const nobody = -1;

export interface RunRow {
  status: RunStatus | 'ABSENT';
  /** Number of the driver whose lease is alive. */
  owner: number;
  cancel: boolean;
}

/** One session with its runs and log: what the transactions guard. */
export interface Database {
  status: SessionStatus;
  active: number;
  epoch: number;
  lastSeq: number;
  lastAppend: string;
  runs: RunRow[];
  /** `seq run epoch what`, as text: such entries are cheap to copy and to compare. */
  log: string[];
}

/** An append or a finish as its writer sees the log. */
export interface Write {
  readonly run: number;
  readonly epoch: number;
  readonly expected: number;
  readonly events: readonly string[];
}

/** `mine`: committed by an earlier try of this very write. `stranger`: somebody else wrote in this epoch. */
export type Outcome = 'committed' | 'mine' | 'fenced' | 'stranger';

/** What a statement answers that a cancel forestalled. */
export type Decision = 'cancelled';

export function emptyDatabase(runs: number): Database {
  const rows = Array.from({ length: runs }, (): RunRow => ({ status: 'ABSENT', owner: nobody, cancel: false }));
  return { status: 'IDLE', active: nobody, epoch: 0, lastSeq: 0, lastAppend: '', runs: rows, log: [] };
}

export function runOf(db: Database, run: number): RunRow {
  const row = db.runs[run];
  return row ?? { status: 'ABSENT', owner: nobody, cancel: false };
}

export function has(db: Database, run: number, what: string): boolean {
  return db.log.some((entry) => entry.endsWith(` ${what}`) && entry.split(' ')[1] === `${run}`);
}

/** Whether the run is in none of its terminal states. */
export function isOpen({ status }: RunRow): boolean {
  return status !== 'ABSENT' && !isOver(status);
}

/** Start: IDLE → RUNNING, with RUN_START. */
export function start(db: Database, guards: Guards, run: number, owner: number): boolean {
  if (guards.startsOnlyWhenIdle && db.status !== 'IDLE') {
    return false;
  }
  begin(db, run, owner);
  return true;
}

/** What start and promotion share. */
export function begin(db: Database, run: number, owner: number): void {
  const row = runOf(db, run);
  row.status = 'RUNNING';
  row.owner = owner;
  db.status = 'RUNNING';
  db.active = run;
  db.epoch += 1;
  insert(db, { run, epoch: db.epoch, expected: db.lastSeq, events: ['start'] });
}

/** Append, and the guarded update that every driver's transaction begins with. `change` is the rest of the transaction. */
export function append(db: Database, guards: Guards, write: Write, change: () => boolean = () => true): Outcome {
  const isOwnEpoch = !guards.appendsOnlyInOwnEpoch || db.epoch === write.epoch;
  const isAtEnd = !guards.appendsAtLastSeq || db.lastSeq === write.expected;
  if (db.active === write.run && isOwnEpoch && isAtEnd) {
    if (!change()) {
      return 'fenced';
    }
    insert(db, write);
    return 'committed';
  }
  const isMine = guards.recognisesOwnAppend
    ? db.lastAppend === markOf(write)
    : db.lastSeq === write.expected + write.events.length;
  if (isMine) {
    return 'mine';
  }
  return db.epoch === write.epoch && db.active === write.run ? 'stranger' : 'fenced';
}

/** Claim: epoch + 1, a new owner, RUN_ATTEMPT. `readEpoch` is the epoch when the candidate was read. */
export function claim(db: Database, guards: Guards, run: number, owner: number, readEpoch: number): boolean {
  const { status } = runOf(db, run);
  if (guards.claimsOnlyActiveRun && (db.active !== run || (status !== 'RUNNING' && status !== 'FINISHING'))) {
    return false;
  }
  if (guards.claimsAtReadEpoch && db.epoch !== readEpoch) {
    return false;
  }
  db.epoch += guards.claimRaisesEpoch ? 1 : 0;
  runOf(db, run).owner = owner;
  if (guards.announcesAttempt) {
    insert(db, { run, epoch: db.epoch, expected: db.lastSeq, events: ['attempt'] });
  }
  return true;
}

/** Request cancel: whether it was accepted. */
export function requestCancel(db: Database, guards: Guards, run: number): boolean {
  const row = runOf(db, run);
  const isCancellable = row.status === 'QUEUED' || row.status === 'RUNNING' || row.status === 'WAITING';
  if (!isCancellable && (guards.cancelsOnlyCancellable || !isOpen(row))) {
    return false;
  }
  row.cancel = true;
  return true;
}

/** RUNNING → FINISHING: whether the run completes. Made again after an unknown outcome it finds its own decision. */
export function beginFinishing(db: Database, guards: Guards, run: number, epoch: number): Outcome | Decision {
  const row = runOf(db, run);
  if (db.active !== run || (guards.appendsOnlyInOwnEpoch && db.epoch !== epoch)) {
    return 'fenced';
  }
  if (row.status === 'FINISHING') {
    return 'mine';
  }
  if (row.cancel && guards.finishingUnlessCancelRequested) {
    return 'cancelled';
  }
  row.status = 'FINISHING';
  return 'committed';
}

/**
 * Finish: terminal event, run row, session → IDLE. `promote` is what the same transaction does then, `may` a guard of its
 * own.
 */
export function finish(
  db: Database,
  guards: Guards,
  write: Write,
  status: 'COMPLETED' | 'CANCELLED' | 'FAILED',
  promote: () => void = () => undefined,
  may: () => boolean = () => true,
): Outcome {
  const row = runOf(db, write.run);
  const outcome = append(db, guards, write, () => {
    const isAllowed = row.status !== 'ABSENT' && runStatusesBefore(status).includes(row.status) && may();
    return isAllowed && (status !== 'CANCELLED' || row.cancel || !guards.onlyTheFlagCancels);
  });
  if (outcome === 'committed') {
    row.status = status;
    row.owner = nobody;
    if (guards.releasesSessionWithTerminal) {
      db.status = 'IDLE';
      db.active = nobody;
      promote();
    }
  }
  return outcome;
}

/** Inserts the rows of a write that passed its guard. */
export function insert(db: Database, write: Write): void {
  write.events.forEach((what, index) => {
    db.log.push(`${write.expected + index + 1} ${write.run} ${write.epoch} ${what}`);
  });
  db.lastSeq += write.events.length;
  db.lastAppend = markOf(write);
}

/** Random in truth; here what tells writes apart, so that equal states are equal. */
function markOf({ run, epoch, expected, events }: Write): string {
  return `${run}/${epoch}/${expected}/${events.join()}`;
}
