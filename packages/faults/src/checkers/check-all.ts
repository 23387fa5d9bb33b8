import type { Evidence } from '../evidence/evidence.ts';
import { checkContexts, checkTurns } from './context-checkers.ts';
import { checkEffectOrder, checkEffects } from './effect-checkers.ts';
import { checkFiles } from './file-checkers.ts';
import { checkReads } from './file-read-checkers.ts';
import { checkEpochs, checkSequence, checkTerminals } from './log-checkers.ts';
import { checkCalls, checkIsolation, checkLeftovers, checkPages, checkWatcherCost } from './outside-checkers.ts';
import { checkRollbacks } from './rollback-checkers.ts';
import { checkAttempts, checkCancels, checkProgress, checkRequests, checkSessionStates } from './state-checkers.ts';
import { checkDurableViews, checkTexts } from './view-checkers.ts';
import type { Checker, Violation } from './violation.ts';

const checkers: readonly Checker[] = [
  checkSequence,
  checkTerminals,
  checkEpochs,
  checkSessionStates,
  checkProgress,
  checkRequests,
  checkCancels,
  checkDurableViews,
  checkTexts,
  checkEffects,
  checkEffectOrder,
  checkContexts,
  checkTurns,
  checkAttempts,
  checkLeftovers,
  checkWatcherCost,
  checkIsolation,
  checkPages,
  checkCalls,
  checkFiles,
  checkReads,
  checkRollbacks,
];

/** Looks at everything; answers what does not hold, in the order of the invariants. */
export function checkAll(evidence: Evidence): readonly Violation[] {
  return checkers
    .flatMap((check) => check(evidence))
    .toSorted((a, b) => Number(a.invariant.slice(1)) - Number(b.invariant.slice(1)));
}
