import { brokenCancel, type CancelWorld, cancelSteps } from './cancel.ts';
import type { Model, Take } from './checker.ts';
import { awake, driverOf, forget, hold, newDriver, sortDrivers } from './driver.ts';
import { appendStep, decideStep, finishStep } from './driver-steps.ts';
import { brokenDatabase, isQuiet } from './invariants.ts';
import { claimSteps, faultSteps, type Leases, outsideActions } from './ownership.ts';
import { emptyDatabase, type Guards, has, runOf, start } from './protocol.ts';
import {
  callOf,
  fence,
  type HostedWorld,
  lookUp,
  newToolHost,
  owedResult,
  type ToolClass,
  toolHostSteps,
} from './tool-host.ts';

interface CoreWorld extends HostedWorld, CancelWorld {}

export interface CoreOptions {
  readonly leases: Leases;
  readonly toolClass: ToolClass;
  readonly faults: number;
}

/**
 * One run with one tool call, two replicas that may drive it, one client that may cancel it. A driver and its executor
 * are one process here; calls to tool-host travel and may arrive late. Not modelled: queue, waiting, publication, time.
 */
export function coreModel(guards: Guards, options: CoreOptions): Model<CoreWorld> {
  const { leases, toolClass, faults } = options;
  return {
    initial: {
      db: emptyDatabase(1),
      drivers: [newDriver(), newDriver()],
      faults,
      broken: '',
      host: newToolHost(),
      cancel: '',
    },
    steps(state, take) {
      if (runOf(state.db, 0).status === 'ABSENT') {
        startSteps(state, guards, take);
      }
      for (const d of awake(state)) {
        driverSteps(state, guards, take, d, toolClass);
      }
      faultSteps(state, take, leases);
      claimSteps(state, guards, take, (next) => stageAfterClaim(next, guards));
      toolHostSteps(state, guards, take, toolClass);
      cancelSteps(state, guards, take);
    },
    broken: (state) => brokenDatabase(state.db) || state.broken || brokenCancel(state) || brokenCall(state),
    outside: outsideActions,
    canonicalise: sortDrivers,
    isSettled: ({ db }) => isQuiet(db),
  };
}

/** The answer to Start may be lost: then the replica owns a run that it does not hold. */
function startSteps(state: CoreWorld, guards: Guards, take: Take<CoreWorld>): void {
  take('start', 0, (next) => {
    start(next.db, guards, 0, 0);
    hold(next, 0, 'fence');
  });
  take('lose the answer', 'start 0', (next) => {
    next.faults -= 1;
    return state.faults > 0 && start(next.db, guards, 0, 0);
  });
}

function stageAfterClaim({ db }: CoreWorld, guards: Guards): string {
  const { cancel, status } = runOf(db, 0);
  if (cancel && status === 'RUNNING' && guards.finishesCancelledClaim) {
    return 'stop';
  }
  return cancel && status === 'RUNNING' ? 'fence although cancelled' : 'fence';
}

function driverSteps(state: CoreWorld, guards: Guards, take: Take<CoreWorld>, d: number, toolClass: ToolClass): void {
  const { stage, epoch, isUnsure } = driverOf(state, d);
  const { status, cancel } = runOf(state.db, 0);
  const isFree = !isUnsure || !guards.resolvesAppendBeforeNext;
  if (isFree && cancel && status === 'RUNNING' && !['', 'stop', 'cancelled', 'finishing'].includes(stage)) {
    take('see the flag', d, (next) => {
      driverOf(next, d).stage = 'stop';
    });
  }
  switch (stage) {
    case 'fence':
    case 'fence although cancelled':
      take('fence', d, (next) => {
        next.broken = stage === 'fence' ? next.broken : 'a run was dispatched that was cancelled when it was claimed';
        if (guards.fencesBeforeDispatch && !fence(next.host, epoch, false)) {
          return forget(driverOf(next, d));
        }
        driverOf(next, d).stage = stageByLog(next);
      });
      break;
    case 'message':
      if (!guards.intentBeforeEffect && !state.host.calls.includes(callOf(epoch, epoch))) {
        take('call', d, (next) => next.host.calls.push(callOf(epoch, epoch)));
      }
      appendStep(state, guards, take, d, ['message'], 'call');
      break;
    case 'result':
      appendStep(state, guards, take, d, [`result:${state.host.row}`, 'answer'], 'decide');
      break;
    case 'decide':
      decideStep(state, guards, take, d, 'finishing');
      break;
    case 'finishing':
      finishStep(state, guards, take, d, { status: 'COMPLETED' });
      break;
    case 'stop':
      take('stop', d, (next) => {
        if (!fence(next.host, epoch, true)) {
          return forget(driverOf(next, d));
        }
        driverOf(next, d).stage = 'cancelled';
      });
      break;
    case 'cancelled':
      finishStep(state, guards, take, d, { status: 'CANCELLED', events: owedResult(state) });
      break;
    default:
      callSteps(state, guards, take, d, toolClass);
  }
}

/** Where an attempt goes on, by what is in the log. */
function stageByLog({ db }: CoreWorld): string {
  if (runOf(db, 0).status === 'FINISHING') {
    return 'finishing';
  }
  if (!has(db, 0, 'message')) {
    return 'message';
  }
  return has(db, 0, 'answer') ? 'decide' : 'look';
}

function callSteps(state: CoreWorld, guards: Guards, take: Take<CoreWorld>, d: number, toolClass: ToolClass): void {
  const { stage, epoch } = driverOf(state, d);
  const { calls, row, isAlive } = state.host;
  const look = (next: CoreWorld) => {
    driverOf(next, d).stage = lookUp(next.host, guards, toolClass, epoch);
  };
  if (stage === 'call') {
    take('call', d, (next) => {
      next.host.calls.push(callOf(epoch, epoch));
      driverOf(next, d).stage = 'await';
    });
  }
  const isAnswered = !calls.includes(callOf(epoch, epoch)) && !(row === 'STARTED' && isAlive);
  if (stage === 'look' || (stage === 'await' && isAnswered)) {
    take('look up', d, look);
  }
  if (stage === 'await' && calls.includes(callOf(epoch, epoch)) && calls.length < 2 && state.faults > 0) {
    take('lose the connection', d, (next) => {
      next.faults -= 1;
      look(next);
    });
  }
}

function brokenCall({ db, host }: CoreWorld): string | undefined {
  const result = ['NOT_STARTED', 'DONE', 'UNKNOWN'].find((outcome) => has(db, 0, `result:${outcome}`));
  if (isQuiet(db) && has(db, 0, 'message') && result === undefined) {
    return 'a committed call has no result in a run that is over';
  }
  if ((result === 'NOT_STARTED' && host.row !== '') || (result === 'DONE' && host.effects !== 1)) {
    return `a result says ${result} of a call that is ${host.row} with ${host.effects} effects`;
  }
  return undefined;
}
