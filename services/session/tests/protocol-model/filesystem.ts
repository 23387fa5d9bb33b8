import type { Take } from './checker.ts';
import type { World } from './driver.ts';
import type { Guards } from './protocol.ts';

/** The layer of run 0 in filesystem, and what is on its way there. */
export interface LayeredWorld extends World {
  files: {
    /** Lower epochs are refused. */
    fence: number;
    /** Calls on their way: `publish` or `drop`, and the epoch. */
    calls: string[];
    layer: 'OPEN' | 'CONFLICT' | 'PUBLISHED' | 'ROLLED_BACK';
    publications: number;
    /** Somebody else has changed a file that the run has changed. */
    isChanged: boolean;
    /** Some driver has asked for the publication. */
    isCommitSent: boolean;
  };
}

export function newFilesystem(): LayeredWorld['files'] {
  return { fence: 0, calls: [], layer: 'OPEN', publications: 0, isChanged: false, isCommitSent: false };
}

/** CommitRun or RollbackRun leaves its driver. */
export function send({ files }: LayeredWorld, what: 'publish' | 'drop', epoch: number): void {
  files.calls.push(`${what} ${epoch}`);
  files.isCommitSent ||= what === 'publish';
}

/** Calls arrive in any order, those of fenced drivers too; others may change files at any time. */
export function filesystemSteps<State extends LayeredWorld>(state: State, guards: Guards, take: Take<State>): void {
  const { calls, layer, isChanged } = state.files;
  calls.forEach((call, index) => {
    const [what = '', epoch = ''] = call.split(' ');
    take(what, `epoch ${epoch}`, ({ files }) => {
      files.calls.splice(index, 1);
      if (Number(epoch) >= files.fence) {
        if (what === 'publish') {
          publish(files, guards);
        } else {
          drop(files);
        }
      }
    });
  });
  if (!isChanged && layer === 'OPEN') {
    take('change a file', '', ({ files }) => {
      files.isChanged = true;
    });
  }
}

function publish(files: LayeredWorld['files'], guards: Guards): void {
  const isPublishable = files.layer === 'OPEN' || files.layer === 'CONFLICT';
  if (isPublishable && files.isChanged) {
    files.layer = 'CONFLICT';
  } else if (isPublishable || (files.layer === 'PUBLISHED' && !guards.publishesOnce)) {
    files.layer = 'PUBLISHED';
    files.publications += 1;
  }
}

/** What is published stays. */
function drop(files: LayeredWorld['files']): void {
  files.layer = files.layer === 'PUBLISHED' ? 'PUBLISHED' : 'ROLLED_BACK';
}
