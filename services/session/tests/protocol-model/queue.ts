import type { Model, Take } from './checker.ts';
import { awake, driverOf, hold, newDriver, sortDrivers, type World } from './driver.ts';
import { decideStep, finishStep } from './driver-steps.ts';
import { brokenDatabase, isQuiet } from './invariants.ts';
import { claimSteps, faultSteps, outsideActions } from './ownership.ts';
import { begin, emptyDatabase, type Guards, nobody, requestCancel, runOf, start } from './protocol.ts';

interface QueueWorld extends World {
  /** Runs that were asked for, in this order. */
  submitted: number;
  /** Cancels of single runs that may still come. */
  cancels: number;
  isDeleted: boolean;
  /** A run for which others were cancelled and that is not enqueued yet. */
  interrupting: number;
}

const runs = 3;

/**
 * Three runs, asked for while others may be active: start, enqueue, interrupt, cancel of any, deletion, promotion; two
 * replicas. The work of a run is nothing here. Not modelled: repeated requests, the bound of the queue, rollback (in the
 * queue it is interrupt).
 */
export function queueModel(guards: Guards, faults: number): Model<QueueWorld> {
  return {
    initial: {
      db: emptyDatabase(runs),
      drivers: [newDriver(), newDriver()],
      faults,
      broken: '',
      submitted: 0,
      cancels: 1,
      isDeleted: false,
      interrupting: nobody,
    },
    steps(state, take) {
      for (const d of awake(state)) {
        driverSteps(state, guards, take, d);
      }
      faultSteps(state, take, 'any');
      claimSteps(state, guards, take, (next, run) => stageOf(next, run));
      if (state.submitted < runs) {
        submitSteps(state, guards, take);
      }
      cancelSteps(state, guards, take);
      deleteSteps(state, guards, take);
    },
    broken: (state) => brokenDatabase(state.db) || state.broken || brokenQueue(state),
    outside: outsideActions,
    canonicalise: sortDrivers,
    isSettled: ({ db }) => isQuiet(db),
  };
}

/** A run that was cancelled, in the queue or when it was taken over, is ended without work. */
function stageOf({ db }: QueueWorld, run: number): string {
  const { status, cancel } = runOf(db, run);
  return cancel && status === 'RUNNING' ? 'stop' : 'decide';
}

function driverSteps(state: QueueWorld, guards: Guards, take: Take<QueueWorld>, d: number): void {
  const { stage } = driverOf(state, d);
  const promote = (next: QueueWorld) => {
    if (guards.promotesWithFinish) {
      promoteQueued(next, guards, d);
    }
  };
  const ending = { promote, stageOf: (next: QueueWorld) => stageOf(next, next.db.active) };
  if (stage === 'decide') {
    decideStep(state, guards, take, d, 'finishing');
  } else if (stage === 'finishing') {
    finishStep(state, guards, take, d, { status: 'COMPLETED', ...ending });
  } else if (stage === 'stop') {
    finishStep(state, guards, take, d, { status: 'CANCELLED', ...ending });
  }
}

function promoteQueued({ db }: QueueWorld, guards: Guards, d: number): void {
  const queued = db.runs.flatMap(({ status }, run) => (status === 'QUEUED' ? [run] : []));
  const next = queued.at(guards.promotesTheOldest ? 0 : -1);
  if (next !== undefined) {
    begin(db, next, d);
  }
}

function submitSteps(state: QueueWorld, guards: Guards, take: Take<QueueWorld>): void {
  const run = state.submitted;
  if (state.isDeleted && guards.startsOnlyWhenNotDeleted) {
    return;
  }
  for (const d of awake(state).filter((d) => driverOf(state, d).run === nobody && driverOf(state, d).candidate === 0)) {
    take('start', `run ${run} ${d}`, (next) => {
      next.submitted += 1;
      const isStarted = start(next.db, guards, run, d);
      if (isStarted) {
        hold(next, d, 'decide');
      }
      return isStarted;
    });
  }
  // Without the guard: the session was active when it was looked at, in a statement before.
  if (state.db.status !== 'IDLE' || (!guards.enqueuesOnlyWhenActive && state.db.epoch > 0)) {
    take('enqueue', `run ${run}`, (next) => enqueue(next));
  }
  if (state.db.status !== 'IDLE' && state.interrupting === nobody) {
    take('interrupt', `for run ${run}`, (next) => {
      cancelAll(next, guards);
      if (guards.interruptsInOneTransaction) {
        enqueue(next);
      } else {
        next.interrupting = run;
      }
    });
  }
}

function enqueue(next: QueueWorld): void {
  runOf(next.db, next.submitted).status = 'QUEUED';
  next.submitted += 1;
}

/** Flags the active run, if it still can be cancelled, and empties the queue. */
function cancelAll({ db }: QueueWorld, guards: Guards): void {
  for (const [run, row] of db.runs.entries()) {
    if (row.status === 'RUNNING') {
      requestCancel(db, guards, run);
    } else if (row.status === 'QUEUED') {
      Object.assign(row, { status: 'CANCELLED', cancel: true });
    }
  }
}

/** A queued run that was cancelled is ended by a second statement; until then it may be promoted. */
function cancelSteps(state: QueueWorld, guards: Guards, take: Take<QueueWorld>): void {
  for (const [run, { status, cancel }] of state.db.runs.entries()) {
    if (state.cancels > 0 && !cancel) {
      take('request cancel', `run ${run}`, (next) => {
        next.cancels -= 1;
        return requestCancel(next.db, guards, run);
      });
    }
    if (status === 'QUEUED' && cancel) {
      take('end a queued run', run, (next) => {
        runOf(next.db, run).status = 'CANCELLED';
      });
    }
  }
}

function deleteSteps(state: QueueWorld, guards: Guards, take: Take<QueueWorld>): void {
  if (!state.isDeleted) {
    take('delete', '', (next) => {
      next.isDeleted = true;
      if (guards.deletesInOneTransaction) {
        cancelAll(next, guards);
      }
    });
  }
}

function brokenQueue({ db, isDeleted, interrupting }: QueueWorld): string | undefined {
  const started = db.log.filter((entry) => entry.endsWith(' start')).map((entry) => entry.split(' ')[1] ?? '');
  if (started.join() !== started.toSorted().join()) {
    return 'runs were started in another order than they were asked for';
  }
  if (isDeleted && db.runs.some(({ status, cancel }) => (status === 'RUNNING' || status === 'QUEUED') && !cancel)) {
    return 'a run goes on in a deleted session';
  }
  return interrupting === nobody ? undefined : 'runs were cancelled for one that does not exist';
}
