import type { Model, Take } from './checker.ts';
import { awake, driverOf, hold, newDriver, sortDrivers, type World } from './driver.ts';
import { appendStep, decideStep, finishStep } from './driver-steps.ts';
import { brokenDatabase, isQuiet } from './invariants.ts';
import { claimSteps, faultSteps, outsideActions } from './ownership.ts';
import { emptyDatabase, type Guards, has, runOf, start } from './protocol.ts';

interface BudgetWorld extends World {
  reserved: number;
  settled: number;
  /** What the provider has charged in truth. */
  charged: number;
}

/** Units that a call may cost at most, and that are reserved for it. */
const estimate = 2;
/** Enough for two calls, not for three. */
const limit = 5;

/**
 * A run with one model call, which a take-over makes again: reserved on the checkpoint before, sent, settled with its
 * usage; or settled in full by the next driver. Not modelled: several runs on one budget, windows, cancel.
 */
export function reservationsModel(guards: Guards, faults: number): Model<BudgetWorld> {
  return {
    initial: {
      db: emptyDatabase(1),
      drivers: [newDriver(), newDriver()],
      faults,
      broken: '',
      reserved: 0,
      settled: 0,
      charged: 0,
    },
    steps(state, take) {
      if (runOf(state.db, 0).status === 'ABSENT') {
        take('start', 0, (next) => {
          start(next.db, guards, 0, 0);
          hold(next, 0, 'reserve');
        });
      }
      for (const d of awake(state)) {
        driverSteps(state, guards, take, d);
      }
      faultSteps(state, take, 'any');
      claimSteps(state, guards, take, stageOf);
    },
    broken: (state) => brokenDatabase(state.db) || state.broken || brokenBudget(state),
    outside: outsideActions,
    canonicalise: sortDrivers,
    isSettled: ({ db }) => isQuiet(db),
  };
}

function stageOf({ db, reserved }: BudgetWorld): string {
  if (runOf(db, 0).status === 'FINISHING') {
    return 'finishing';
  }
  if (reserved > 0) {
    return 'settle in full';
  }
  return has(db, 0, 'usage') ? 'decide' : 'reserve';
}

function driverSteps(state: BudgetWorld, guards: Guards, take: Take<BudgetWorld>, d: number): void {
  const { stage, epoch, isUnsure } = driverOf(state, d);
  const settle = (units: number) => (next: BudgetWorld) => {
    next.reserved -= estimate;
    next.settled += units;
  };
  const send = () => {
    for (const cost of [1, estimate]) {
      take('ask the model', `${d}, cost ${cost}`, (next) => {
        next.charged += cost;
        driverOf(next, d).stage = `settle ${cost}`;
      });
    }
  };
  switch (stage) {
    case 'reserve':
      if (isUnsure || state.reserved + state.settled + estimate <= limit) {
        appendStep(state, guards, take, d, [`reserve-${epoch}`], 'send', (next) => {
          next.reserved += estimate;
        });
      } else {
        finishStep(state, guards, take, d, { status: 'FAILED' });
      }
      if (!guards.reservesBeforeModelCall) {
        send();
      }
      break;
    case 'send':
      send();
      break;
    case 'settle in full':
      appendStep(
        state,
        guards,
        take,
        d,
        [`settled-${epoch}`],
        'reserve',
        settle(guards.settlesReservationsInFull ? estimate : 0),
      );
      break;
    case 'settle 1':
    case 'settle 2':
      appendStep(state, guards, take, d, ['usage'], 'decide', settle(stage === 'settle 1' ? 1 : estimate));
      break;
    case 'decide':
      decideStep(state, guards, take, d, 'finishing');
      break;
    case 'finishing':
      finishStep(state, guards, take, d, { status: 'COMPLETED' });
      break;
    default:
  }
}

function brokenBudget({ db, reserved, settled, charged }: BudgetWorld): string | undefined {
  if (charged > reserved + settled) {
    return 'the provider has charged what no budget accounts for';
  }
  if (reserved + settled > limit) {
    return 'a budget is overrun';
  }
  return isQuiet(db) && reserved > 0 ? 'a run is over with an open reservation' : undefined;
}
