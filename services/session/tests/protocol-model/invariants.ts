import { isOver } from '../../src/domain/run/run.ts';
import { type Database, isOpen } from './protocol.ts';

interface Entry {
  readonly seq: number;
  readonly run: number;
  readonly epoch: number;
  /** Kind of the event; what follows a colon is its content. */
  readonly kind: string;
}

const parsed = new Map<string, Entry>();

function entryOf(text: string): Entry {
  let entry = parsed.get(text);
  if (entry === undefined) {
    const [seq, run, epoch, ...what] = text.split(' ');
    entry = { seq: Number(seq), run: Number(run), epoch: Number(epoch), kind: what.join(' ').split(':')[0] ?? '' };
    parsed.set(text, entry);
  }
  return entry;
}

/** What is wrong with a session's rows and log, whatever the configuration; undefined when nothing is. */
export function brokenDatabase(db: Database): string | undefined {
  const entries = db.log.map(entryOf);
  return brokenLog(entries, db.lastSeq) ?? brokenRows(db) ?? brokenEnds(db, entries);
}

function brokenLog(entries: readonly Entry[], lastSeq: number): string | undefined {
  let epoch = 0;
  let announced = 0;
  const once = new Set<string>();
  for (const [index, entry] of entries.entries()) {
    if (entry.seq !== index + 1) {
      return 'I1 seqs have a gap or a duplicate';
    }
    if (entry.epoch < epoch) {
      return 'I3 the epoch falls along the log';
    }
    epoch = entry.epoch;
    if (entry.kind === 'attempt' || entry.kind === 'start') {
      if (entry.epoch === announced) {
        return 'two attempts share an epoch';
      }
      announced = entry.epoch;
    } else if (once.size === once.add(`${entry.run} ${entry.kind}`).size) {
      return `the log has ${entry.kind} twice`;
    }
    if (entry.epoch !== announced) {
      return 'an attempt wrote that the log does not announce';
    }
  }
  return lastSeq === entries.length ? undefined : 'I1 last_seq is not that of the last event';
}

function brokenRows(db: Database): string | undefined {
  for (const [run, row] of db.runs.entries()) {
    const isActive = db.active === run;
    const isHeld = row.status === 'RUNNING' || row.status === 'FINISHING' || row.status === 'WAITING';
    if (isHeld !== isActive) {
      return `I4 run ${run} is ${row.status} and is ${isActive ? '' : 'not '}the active run`;
    }
    if (isActive && (row.status === 'WAITING') !== (db.status === 'WAITING')) {
      return `I4 session ${db.status} with run ${row.status}`;
    }
    if (row.status === 'COMPLETED' && row.cancel) {
      return 'I7 completed in spite of an accepted cancel';
    }
    if (row.status === 'CANCELLED' && !row.cancel) {
      return 'CANCELLED without the flag';
    }
    if (row.status === 'QUEUED' && db.status === 'IDLE') {
      return 'a run is queued in an idle session';
    }
  }
  return (db.active === -1) === (db.status === 'IDLE')
    ? undefined
    : `I4 session ${db.status} and its active run differ`;
}

/** I2; a run that was cancelled in the queue has no events at all. */
function brokenEnds(db: Database, entries: readonly Entry[]): string | undefined {
  for (const [run, row] of db.runs.entries()) {
    const kinds = entries.filter((entry) => entry.run === run).map(({ kind }) => kind);
    const end = kinds.indexOf('end');
    if (end !== -1 && end !== kinds.length - 1) {
      return 'I2 something follows the terminal event';
    }
    if (kinds.length > 0 && (end !== -1) !== (row.status !== 'ABSENT' && isOver(row.status))) {
      return `I2 run ${row.status} ${end === -1 ? 'without' : 'with'} a terminal event`;
    }
    if (kinds.length === 0 && row.status !== 'ABSENT' && row.status !== 'QUEUED' && row.status !== 'CANCELLED') {
      return `run ${row.status} without its start`;
    }
  }
  return undefined;
}

/** Whether no run is going on. */
export function isQuiet(db: Database): boolean {
  return !db.runs.some(isOpen);
}
