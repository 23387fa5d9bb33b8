import type { Take } from './checker.ts';
import { awake, driverOf, forget, hold, type World } from './driver.ts';
import { claim, type Guards, isOpen, nobody, runOf } from './protocol.ts';

/**
 * When a lease ends. `kept`: only that of a frozen owner, which later wakes as a zombie. `any`: any, at any time, while its
 * owner goes on: then fencing alone must keep the run safe.
 */
export type Leases = 'kept' | 'any';

/** What clients, luck and faults do: nothing may depend on it. */
export const outsideActions: ReadonlySet<string> = new Set([
  ...['crash', 'freeze', 'wake', 'lose the lease', 'lose the answer', 'lose the connection', 'cut', 'cut and lose'],
  ...['start', 'enqueue', 'interrupt', 'delete', 'answer', 'expire', 'request cancel', 'accept a cancel'],
  ...['request rollback', 'mark', 'change a file'],
]);

/** Crashes, freezes, leases that end, and what an instance does about runs that it lost. */
export function faultSteps<State extends World>(state: State, take: Take<State>, leases: Leases): void {
  for (const [d, driver] of state.drivers.entries()) {
    const isOwner = state.db.runs.some(({ owner }) => owner === d);
    if (driver.frozen) {
      take('wake', d, (next) => {
        driverOf(next, d).frozen = false;
      });
    } else if (driver.run !== nobody && !isOwner) {
      take('abort a lost run', d, (next) => forget(driverOf(next, d)));
    }
    if (isOwner && driver.frozen) {
      take('end the lease', d, (next) => disown(next, d));
    }
    if (state.faults === 0 || driver.frozen) {
      continue;
    }
    if (isOwner || driver.run !== nobody || driver.candidate > 0) {
      take('crash', d, (next) => {
        next.faults -= 1;
        disown(next, d);
        forget(driverOf(next, d));
      });
    }
    if (leases === 'any' && isOwner) {
      take('lose the lease', d, (next) => {
        next.faults -= 1;
        disown(next, d);
      });
    }
    // One replica at least goes on: that all are frozen is an outage, not a fault of one.
    if (leases === 'kept' && isOwner && !state.drivers.some(({ frozen }) => frozen)) {
      take('freeze', d, (next) => {
        next.faults -= 1;
        driverOf(next, d).frozen = true;
      });
    }
  }
}

function disown(world: World, d: number): void {
  for (const row of world.db.runs) {
    row.owner = row.owner === d ? nobody : row.owner;
  }
}

/** Claim by the reaper, and the release of runs that are owned and not held. `stageOf` is where the new attempt begins. */
export function claimSteps<State extends World>(
  state: State,
  guards: Guards,
  take: Take<State>,
  stageOf: (next: State, run: number) => string,
): void {
  const { active, epoch } = state.db;
  for (const d of awake(state)) {
    const { run, candidate, candidateRun } = driverOf(state, d);
    const isOwner = active !== nobody && runOf(state.db, active).owner === d;
    if (run !== nobody) {
      continue;
    }
    if (isOwner && guards.releasesUnheldRuns) {
      take('release an unheld run', d, (next) => disown(next, d));
    }
    for (const [unowned, row] of state.db.runs.entries()) {
      const isCandidate = row.owner === nobody && (row.status === 'RUNNING' || row.status === 'FINISHING');
      if (candidate === 0 && !isOwner && (isCandidate || (!guards.claimsOnlyActiveRun && row.status === 'QUEUED'))) {
        take('read a candidate', d, (next) => {
          Object.assign(driverOf(next, d), { candidate: epoch, candidateRun: unowned });
        });
      }
    }
    if (candidate > 0) {
      const claimed = (next: State) => {
        const owner = runOf(next.db, candidateRun).owner;
        Object.assign(driverOf(next, d), { candidate: 0, candidateRun: nobody });
        const isClaimed = claim(next.db, guards, candidateRun, d, candidate);
        if (isClaimed && owner !== nobody && isOpen(runOf(next.db, candidateRun))) {
          next.broken = 'a run was claimed from an owner that is alive';
        }
        return isClaimed;
      };
      take('claim', d, (next) => {
        if (claimed(next)) {
          hold(next, d, stageOf(next, candidateRun));
        }
      });
      if (state.faults > 0) {
        take('lose the answer', `claim ${d}`, (next) => {
          next.faults -= 1;
          return claimed(next);
        });
      }
    }
  }
}
