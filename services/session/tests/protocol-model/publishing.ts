import type { RunStatus } from '../../src/domain/run/run.ts';
import { brokenCancel, type CancelWorld, cancelSteps } from './cancel.ts';
import type { Model, Take } from './checker.ts';
import { awake, driverOf, forget, hold, newDriver, sortDrivers } from './driver.ts';
import { decideStep, finishStep } from './driver-steps.ts';
import { filesystemSteps, type LayeredWorld, newFilesystem, send } from './filesystem.ts';
import { brokenDatabase, isQuiet } from './invariants.ts';
import { claimSteps, faultSteps, outsideActions } from './ownership.ts';
import { emptyDatabase, type Guards, isOpen, runOf, start } from './protocol.ts';

type Outcome = 'COMPLETED' | 'FAILED' | 'CANCELLED';

interface PublishingWorld extends CancelWorld, LayeredWorld {
  /** What of the run's row and context is of this model only. */
  row: {
    /** Whether its files are dropped when it does not complete. */
    drops: boolean;
    /** What was decided with FINISHING. */
    ending: '' | 'COMPLETED' | 'FAILED';
    /** It is to be rolled back. */
    mark: boolean;
    superseded: boolean;
    /** RUN_ROLLED_BACK says that its files were published. */
    saysPublished: boolean;
  };
  /** What a client was told that wanted it rolled back; `marking`: between two statements that should be one. */
  rollback: '' | 'marking' | 'accepted' | 'refused';
}

/**
 * A run that has written files and comes to its end: it completes, fails or is cancelled, its files are published, dropped
 * or in conflict, and a client may want it rolled back at any moment; take-overs between all steps. Not modelled: disks that
 * are written file by file, a filesystem that stays away or refuses, runs that wait.
 */
export function publishingModel(guards: Guards, faults: number): Model<PublishingWorld> {
  return {
    initial: {
      db: emptyDatabase(1),
      drivers: [newDriver(), newDriver()],
      faults,
      broken: '',
      cancel: '',
      files: newFilesystem(),
      row: { drops: false, ending: '', mark: false, superseded: false, saysPublished: false },
      rollback: '',
    },
    steps(state, take) {
      if (runOf(state.db, 0).status === 'ABSENT') {
        for (const drops of [false, true]) {
          take('start', drops ? 'and drop' : '', (next) => {
            start(next.db, guards, 0, 0);
            hold(next, 0, 'dispatch');
            next.row.drops = drops;
          });
        }
      }
      for (const d of awake(state)) {
        driverSteps(state, guards, take, d);
      }
      filesystemSteps(state, guards, take);
      faultSteps(state, take, 'any');
      claimSteps(state, guards, take, (next) => stageAfterClaim(next, guards));
      cancelSteps(state, guards, take);
      rollbackSteps(state, guards, take);
    },
    broken: (state) => brokenDatabase(state.db) || state.broken || brokenCancel(state) || brokenFiles(state),
    outside: outsideActions,
    canonicalise: sortDrivers,
    isSettled: ({ db }) => isQuiet(db),
  };
}

function stageAfterClaim({ db, row }: PublishingWorld, guards: Guards): string {
  const { cancel, status } = runOf(db, 0);
  if (status === 'FINISHING' && guards.finishesDecidedClaim && row.ending !== '') {
    return touch(row.ending, row.drops);
  }
  return cancel && status === 'RUNNING' ? 'stop' : 'dispatch';
}

/** What is done with the files of a run that ends like this. */
function touch(outcome: Outcome, drops: boolean): string {
  return `${drops && outcome !== 'COMPLETED' ? 'drop' : 'publish'} ${outcome}`;
}

/** Where a driver goes once the executor has ended, and what each mutant makes of it. */
function stageAfterWork(outcome: 'COMPLETED' | 'FAILED', guards: Guards, drops: boolean): string {
  const isDecidedFirst =
    outcome === 'COMPLETED' ? guards.decidesBeforePublishing : guards.decidesFailureBeforePublishing;
  return isDecidedFirst ? `decide ${outcome}` : touch(outcome, drops);
}

function driverSteps(state: PublishingWorld, guards: Guards, take: Take<PublishingWorld>, d: number): void {
  const { stage, epoch, isUnsure } = driverOf(state, d);
  const { cancel, status } = runOf(state.db, 0);
  const [step = '', outcome = ''] = stage.split(' ');
  if (cancel && status === 'RUNNING' && !isUnsure && ['dispatch', 'work', 'decide'].includes(step)) {
    take('see the flag', d, (next) => {
      driverOf(next, d).stage = 'stop';
    });
  }
  const go = (action: string, change: (next: PublishingWorld) => string) =>
    take(action, d, (next) => {
      const then = change(next);
      if (then === '') {
        forget(driverOf(next, d));
      } else {
        driverOf(next, d).stage = then;
      }
    });
  const { drops } = state.row;
  switch (step) {
    case 'dispatch':
      go('dispatch', (next) => {
        // Where somebody has raised it further, nothing begins.
        const isOwn = raise(next, epoch);
        if (isOwn && next.files.isCommitSent) {
          next.broken = 'a run was dispatched after its files were to be published';
        }
        return isOwn ? 'work' : '';
      });
      break;
    case 'work':
      go('complete', () => stageAfterWork('COMPLETED', guards, drops));
      go('fail', () => stageAfterWork('FAILED', guards, drops));
      break;
    case 'decide':
      decideStep(state, guards, take, d, stageAfterDecision(outcome as Outcome, guards, drops), (next) => {
        next.row.ending = outcome as 'COMPLETED' | 'FAILED';
      });
      break;
    case 'stop':
      go('stop', (next) => (raise(next, epoch) ? 'look' : ''));
      break;
    case 'look':
      go('look at the row', () => {
        const isOwn = state.db.epoch === epoch || !guards.endsOnlyOwnCancelled;
        return !isOwn ? '' : state.row.mark ? 'drop ROLLED_BACK' : touch('CANCELLED', drops);
      });
      break;
    case 'publish':
    case 'drop':
      go(step === 'publish' ? 'send CommitRun' : 'send RollbackRun', (next) => {
        send(next, step, epoch);
        return `await-${step} ${outcome}`;
      });
      break;
    case 'finish':
      endSteps(state, guards, take, d, outcome);
      break;
    default:
      answerSteps(state, guards, take, d);
  }
}

/** False when somebody has raised it further. */
function raise({ files }: PublishingWorld, epoch: number): boolean {
  const isOwn = files.fence <= epoch;
  files.fence = Math.max(files.fence, epoch);
  return isOwn;
}

function stageAfterDecision(outcome: Outcome, guards: Guards, drops: boolean): string {
  const isPublishedBefore = outcome === 'COMPLETED' && !guards.decidesBeforePublishing;
  const isForgotten = outcome === 'COMPLETED' && !guards.publishesBeforeFinish;
  return isPublishedBefore || isForgotten ? `finish ${outcome}` : touch(outcome, drops);
}

/** The answer of filesystem comes, or the connection is lost, and it is asked again. */
function answerSteps(state: PublishingWorld, guards: Guards, take: Take<PublishingWorld>, d: number): void {
  const { stage, epoch } = driverOf(state, d);
  const [step = '', outcome = ''] = stage.split(' ');
  const what = step.replace('await-', '');
  const { calls, fence, layer } = state.files;
  if (!step.startsWith('await')) {
    return;
  }
  if (calls.includes(`${what} ${epoch}`)) {
    if (state.faults > 0 && calls.length < 2) {
      take('lose the connection', d, (next) => {
        next.faults -= 1;
        driverOf(next, d).stage = `${what} ${outcome}`;
      });
    }
    return;
  }
  take('read the answer', d, (next) => {
    const driver = driverOf(next, d);
    if (fence > epoch) {
      forget(driver);
    } else if (layer === 'OPEN') {
      driver.stage = `${what} ${outcome}`;
    } else if (what === 'publish' && layer === 'CONFLICT') {
      driver.stage = `finish ${outcome === 'COMPLETED' || outcome === 'CANCELLED' ? 'CONFLICT' : outcome}`;
    } else if (outcome === 'COMPLETED' && !guards.decidesBeforePublishing) {
      driver.stage = 'decide COMPLETED';
    } else {
      driver.stage = `finish ${outcome}`;
    }
  });
}

function endSteps(
  state: PublishingWorld,
  guards: Guards,
  take: Take<PublishingWorld>,
  d: number,
  outcome: string,
): void {
  if (outcome === 'ROLLED_BACK') {
    finishStep(state, guards, take, d, {
      status: 'CANCELLED',
      events: ['rolled-back'],
      promote: ({ row, files }) => {
        row.superseded = guards.supersedesWithFinish;
        row.saysPublished = files.layer === 'PUBLISHED';
      },
    });
    return;
  }
  const status = outcome === 'CONFLICT' ? 'FAILED' : (outcome as Outcome);
  // What may not end like this is let go of, as what was fenced is; whoever takes it looks at the row anew.
  finishStep(state, guards, take, d, { status, may: ({ row }) => !row.mark || !guards.endsMarkedOnlyRolledBack });
}

/** A client that wants the run rolled back, once. */
function rollbackSteps(state: PublishingWorld, guards: Guards, take: Take<PublishingWorld>): void {
  const run = runOf(state.db, 0);
  if (state.rollback === '' && run.status !== 'ABSENT') {
    take('request rollback', '', (next) => {
      const { status } = runOf(next.db, 0);
      const isAllowed = status === 'RUNNING' || (status === 'FINISHING' && !guards.rollsBackOnlyUndecided);
      if (isAllowed) {
        runOf(next.db, 0).cancel = true;
        next.row.mark = guards.rollsBackInOneStatement;
        next.rollback = guards.rollsBackInOneStatement ? 'accepted' : 'marking';
      } else {
        next.rollback = 'refused';
      }
    });
  }
  if (state.rollback === 'marking') {
    take('mark', '', (next) => {
      next.row.mark = isOpen(runOf(next.db, 0));
      next.rollback = 'accepted';
    });
  }
}

function brokenFiles(state: PublishingWorld): string | undefined {
  const { db, files, rollback } = state;
  const { status } = runOf(db, 0);
  if (files.publications > 1) {
    return 'files were published twice';
  }
  if (status === 'FINISHING' && rollback === 'accepted') {
    return 'a run is to be rolled back whose end is decided';
  }
  return status === 'ABSENT' || isOpen(runOf(db, 0)) ? undefined : brokenEnd(state, status);
}

/** What is wrong with a run that is over. */
function brokenEnd({ files, row, rollback }: PublishingWorld, status: RunStatus): string | undefined {
  if (status === 'COMPLETED' && files.layer !== 'PUBLISHED') {
    return 'a run is COMPLETED and its files are not published';
  }
  if (rollback === 'accepted' && status !== 'CANCELLED') {
    return `a run is ${status} that was to be rolled back`;
  }
  if (rollback === 'accepted' && !row.superseded) {
    return 'a run was to be rolled back, is over, and its messages are in the context';
  }
  if (row.mark) {
    const isDropped = files.layer === 'ROLLED_BACK' || (files.layer === 'PUBLISHED' && row.saysPublished);
    return isDropped ? undefined : 'a run was rolled back and its files are there';
  }
  if (status === 'FAILED' && files.layer === 'CONFLICT') {
    return undefined;
  }
  const due = row.drops && status !== 'COMPLETED' ? 'ROLLED_BACK' : 'PUBLISHED';
  return files.layer === due ? undefined : `the files of a run that is ${status} are ${files.layer}, not ${due}`;
}
