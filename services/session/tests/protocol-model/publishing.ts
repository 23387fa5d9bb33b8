import { brokenCancel, type CancelWorld, cancelSteps } from './cancel.ts';
import type { Model, Take } from './checker.ts';
import { awake, driverOf, forget, hold, newDriver, sortDrivers } from './driver.ts';
import { decideStep, finishStep } from './driver-steps.ts';
import { brokenDatabase, isQuiet } from './invariants.ts';
import { claimSteps, faultSteps, outsideActions } from './ownership.ts';
import { emptyDatabase, type Guards, runOf, start } from './protocol.ts';

interface PublishingWorld extends CancelWorld {
  files: {
    fence: number;
    /** Epochs of CommitRuns that are on their way. */
    commits: number[];
    layer: 'OPEN' | 'PUBLISHED' | 'ROLLED_BACK';
    publications: number;
  };
}

/**
 * A run that has written files and comes to its end: FINISHING, CommitRun on filesystem, Finish, with take-overs between;
 * a cancel takes the files back. Not modelled: conflicts, disks that are written file by file.
 */
export function publishingModel(guards: Guards, faults: number): Model<PublishingWorld> {
  return {
    initial: {
      db: emptyDatabase(1),
      drivers: [newDriver(), newDriver()],
      faults,
      broken: '',
      cancel: '',
      files: { fence: 0, commits: [], layer: 'OPEN', publications: 0 },
    },
    steps(state, take) {
      if (runOf(state.db, 0).status === 'ABSENT') {
        take('start', 0, (next) => {
          start(next.db, guards, 0, 0);
          hold(next, 0, 'fence');
        });
      }
      for (const d of awake(state)) {
        driverSteps(state, guards, take, d);
      }
      filesystemSteps(state, guards, take);
      faultSteps(state, take, 'any');
      claimSteps(state, guards, take, () => 'fence');
      cancelSteps(state, guards, take);
    },
    broken: (state) => brokenDatabase(state.db) || state.broken || brokenCancel(state) || brokenFiles(state),
    outside: outsideActions,
    canonicalise: sortDrivers,
    isSettled: ({ db }) => isQuiet(db),
  };
}

/** The order of a run's last steps, and what each mutant makes of it. */
function stageAfter(stage: 'fence' | 'decide' | 'publish', isDecided: boolean, guards: Guards): string {
  if (stage === 'fence') {
    return isDecided ? stageAfter('decide', isDecided, guards) : guards.decidesBeforePublishing ? 'decide' : 'publish';
  }
  if (stage === 'decide') {
    return guards.publishesBeforeFinish && guards.decidesBeforePublishing ? 'publish' : 'finish';
  }
  return isDecided ? 'finish' : 'decide';
}

function driverSteps(state: PublishingWorld, guards: Guards, take: Take<PublishingWorld>, d: number): void {
  const { stage, epoch, isUnsure } = driverOf(state, d);
  const { cancel, status } = runOf(state.db, 0);
  const { commits, layer } = state.files;
  const isDecided = status === 'FINISHING';
  if (cancel && status === 'RUNNING' && !isUnsure && ['decide', 'publish', 'await'].includes(stage)) {
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
  switch (stage) {
    case 'fence':
      go('fence', ({ files }) => {
        const isFenced = files.fence > epoch;
        files.fence = Math.max(files.fence, epoch);
        return isFenced ? '' : cancel && !isDecided ? 'stop' : stageAfter('fence', isDecided, guards);
      });
      break;
    case 'decide':
      decideStep(state, guards, take, d, stageAfter('decide', isDecided, guards));
      break;
    case 'publish':
      go('send CommitRun', ({ files }) => {
        files.commits.push(epoch);
        return 'await';
      });
      break;
    case 'await':
      if (!commits.includes(epoch)) {
        go('read the answer', () => (layer === 'PUBLISHED' ? stageAfter('publish', isDecided, guards) : 'publish'));
      } else if (state.faults > 0 && commits.length < 2) {
        go('lose the connection', (next) => {
          next.faults -= 1;
          return 'publish';
        });
      }
      break;
    case 'finish':
      finishStep(state, guards, take, d, { status: 'COMPLETED' });
      break;
    case 'stop':
      go('roll back', ({ files }) => {
        files.layer = files.layer === 'OPEN' ? 'ROLLED_BACK' : files.layer;
        return files.fence > epoch ? '' : 'cancelled';
      });
      break;
    case 'cancelled':
      finishStep(state, guards, take, d, { status: 'CANCELLED' });
      break;
    default:
  }
}

function filesystemSteps({ files }: PublishingWorld, guards: Guards, take: Take<PublishingWorld>): void {
  files.commits.forEach((epoch, index) => {
    take('publish', `epoch ${epoch}`, (next) => {
      next.files.commits.splice(index, 1);
      const isNew = files.layer === 'OPEN' || (files.layer === 'PUBLISHED' && !guards.publishesOnce);
      if (epoch >= files.fence && isNew) {
        next.files.layer = 'PUBLISHED';
        next.files.publications += 1;
      }
    });
  });
}

function brokenFiles({ db, files }: PublishingWorld): string | undefined {
  const { status } = runOf(db, 0);
  if (status === 'COMPLETED' && files.layer !== 'PUBLISHED') {
    return 'a run is COMPLETED and its files are not published';
  }
  if (status === 'CANCELLED' && files.layer === 'PUBLISHED') {
    return 'a run was cancelled after its files were published';
  }
  return files.publications > 1 ? 'files were published twice' : undefined;
}
