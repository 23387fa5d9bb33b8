import { brokenCancel, cancelSteps } from './cancel.ts';
import type { Model, Take } from './checker.ts';
import { awake, driverOf, forget, hold, newDriver, sortDrivers } from './driver.ts';
import { appendStep, decideStep, finishStep, transact } from './driver-steps.ts';
import { accept, isTold, makeDue, resume, type WaitingWorld, wait } from './interrupts.ts';
import { brokenDatabase, isQuiet } from './invariants.ts';
import { claimSteps, faultSteps, outsideActions } from './ownership.ts';
import { emptyDatabase, type Guards, has, nobody, runOf, start } from './protocol.ts';

/** `expires`: the interrupt has an expiry, which may come at any moment; else only an answer or a cancel ends the wait. */
export interface WaitingOptions {
  readonly expires: boolean;
  readonly faults: number;
}

/**
 * One run that asks its user one question: answered while it still runs or when it waits, by two clients that differ, too
 * late, or never; cancelled at any moment; two replicas. Not modelled: several interrupts at once, `remaining_ms`.
 */
export function waitingModel(guards: Guards, { expires, faults }: WaitingOptions): Model<WaitingWorld> {
  return {
    initial: {
      db: emptyDatabase(1),
      drivers: [newDriver(), newDriver()],
      faults,
      broken: '',
      cancel: '',
      answer: '',
      isDue: false,
      told: { a: '', b: '' },
    },
    steps(state, take) {
      if (runOf(state.db, 0).status === 'ABSENT') {
        take('start', 0, (next) => {
          start(next.db, guards, 0, 0);
          hold(next, 0, 'ask');
        });
      }
      for (const d of awake(state)) {
        driverSteps(state, guards, take, d);
      }
      faultSteps(state, take, 'any');
      claimSteps(state, guards, take, (next) => stageOf(next));
      resumeSteps(state, guards, take, expires);
      answerSteps(state, guards, take);
      cancelSteps(state, guards, take, (next) => makeDue(next, guards.cancelMakesWaitingDue));
    },
    broken: (state) => brokenDatabase(state.db) || state.broken || brokenCancel(state) || brokenAnswer(state),
    outside: outsideActions,
    canonicalise: sortDrivers,
    isSettled: ({ db, answer }) => isQuiet(db) || (db.status === 'WAITING' && answer === '' && !runOf(db, 0).cancel),
  };
}

function stageOf({ db }: WaitingWorld): string {
  const { status, cancel } = runOf(db, 0);
  if (status === 'FINISHING') {
    return 'finishing';
  }
  if (cancel) {
    return 'stop';
  }
  if (!has(db, 0, 'interrupt')) {
    return 'ask';
  }
  return isTold(db.log) ? 'decide' : 'asked';
}

function driverSteps(state: WaitingWorld, guards: Guards, take: Take<WaitingWorld>, d: number): void {
  const { stage, isUnsure } = driverOf(state, d);
  const { cancel, status } = runOf(state.db, 0);
  if (!isUnsure && cancel && status === 'RUNNING' && ['ask', 'asked', 'decide'].includes(stage)) {
    take('see the flag', d, (next) => {
      driverOf(next, d).stage = 'stop';
    });
  }
  if (stage === 'ask') {
    appendStep(state, guards, take, d, ['interrupt'], 'asked');
  } else if (stage === 'asked' && !isUnsure) {
    take(state.answer === '' ? 'let it wait' : 'see the answer', d, (next) => {
      driverOf(next, d).stage = state.answer === '' ? 'wait' : 'tell';
    });
  } else if (stage === 'tell') {
    appendStep(state, guards, take, d, [`answered:${state.answer}`], 'decide');
  } else if (stage === 'wait') {
    waitStep(state, guards, take, d);
  } else if (stage === 'decide') {
    decideStep(state, guards, take, d, 'finishing');
  } else if (stage === 'finishing' || stage === 'stop') {
    finishStep(state, guards, take, d, { status: stage === 'stop' ? 'CANCELLED' : 'COMPLETED' });
  }
}

/** RUNNING → WAITING; when something came first, the driver looks again. */
function waitStep(state: WaitingWorld, guards: Guards, take: Take<WaitingWorld>, d: number): void {
  const { run, epoch, expected } = driverOf(state, d);
  const write = { run, epoch, expected, events: ['waiting'] };
  transact(
    state,
    take,
    d,
    'wait',
    (next) => wait(next, guards, write),
    (_next, driver, outcome) => {
      if (outcome === 'cancelled') {
        driver.stage = 'asked';
      } else {
        forget(driver);
      }
    },
  );
}

function resumeSteps(state: WaitingWorld, guards: Guards, take: Take<WaitingWorld>, expires: boolean): void {
  const isWaiting = state.db.status === 'WAITING';
  if (expires && isWaiting && !state.isDue) {
    take('expire', '', (next) => {
      next.isDue = true;
    });
  }
  for (const d of awake(state).filter((d) => driverOf(state, d).run === nobody)) {
    const { candidate } = driverOf(state, d);
    if (isWaiting && state.isDue && candidate === 0) {
      take('read a due run', d, (next) => {
        driverOf(next, d).candidate = next.db.epoch;
      });
    }
    if (candidate > 0) {
      const resumed = (next: WaitingWorld) => {
        driverOf(next, d).candidate = 0;
        return resume(next, guards, d, candidate);
      };
      take('resume', d, (next) => {
        if (resumed(next)) {
          hold(next, d, stageOf(next));
        }
      });
      if (state.faults > 0) {
        take('lose the answer', `resume ${d}`, (next) => {
          next.faults -= 1;
          return resumed(next);
        });
      }
    }
  }
}

function answerSteps(state: WaitingWorld, guards: Guards, take: Take<WaitingWorld>): void {
  for (const answer of ['a', 'b'] as const) {
    if (state.told[answer] !== '' || !has(state.db, 0, 'interrupt')) {
      continue;
    }
    take('answer', answer, (next) => {
      next.told[answer] = accept(next, guards, answer) ? 'accepted' : 'refused';
    });
    if (state.faults > 0) {
      take('lose the answer', `answer ${answer}`, (next) => {
        next.faults -= 1;
        return accept(next, guards, answer);
      });
    }
  }
}

function brokenAnswer({ db, told }: WaitingWorld): string | undefined {
  const accepted = (['a', 'b'] as const).filter((answer) => told[answer] === 'accepted');
  if (accepted.length > 1) {
    return 'two different answers were accepted';
  }
  if (accepted.length === 1 && isTold(db.log) && !has(db, 0, `answered:${accepted.join()}`)) {
    return 'the run got another answer than the one that was accepted';
  }
  return runOf(db, 0).status === 'COMPLETED' && !isTold(db.log) ? 'a run went on without an answer' : undefined;
}
