import type { RunGuard } from '../../src/domain/run/guards.ts';
import { type Search, search } from './checker.ts';
import { coreModel } from './core.ts';
import { executorsModel } from './executors.ts';
import type { Guards } from './protocol.ts';
import { publishingModel } from './publishing.ts';
import { queueModel } from './queue.ts';
import { reservationsModel } from './reservations.ts';
import { streamOrderModel } from './stream-order.ts';
import { waitingModel } from './waiting.ts';

/** A bounded model and what its search must at least have seen. */
export interface Configuration {
  /** With at most so many faults. */
  readonly search: (guards: Guards, faults: number) => Search;
  /** As many as the search with all guards allows; more make too many states. */
  readonly faults: number;
  /** A search that finds fewer states explores too little. */
  readonly minStates: number;
  /** Every kind of action, sorted. */
  readonly actions: readonly string[];
  readonly mutants: readonly Mutant[];
}

/** Guards that are off, and what breaks without them: the first thing on a shortest way. */
export type Mutant = readonly [off: RunGuard | readonly RunGuard[], breaks: string];

const I7 = 'I7 completed in spite of an accepted cancel';
const I10 = 'I10 an event was shown that the log lacks';
const I11 = 'I11 a call had its effect twice';
const stuck = 'stuck: no settled state can be reached';
const isDispatchedAfterCommit = 'a run was dispatched after its files were to be published';
const isNotRolledBack = 'a run was to be rolled back, is over, and its messages are in the context';
const isDeletedAndGoesOn = 'a run goes on in a deleted session';

const driverActions = [
  'abort a lost run',
  'claim',
  'crash',
  'lose the answer',
  'read a candidate',
  'release an unheld run',
];
const callActions = ['call', 'execute', 'look up', 'receive a call', 'record'];
const endActions = ['decide', 'finish COMPLETED', 'start'];
const cancelActions = ['finish CANCELLED', 'request cancel', 'see the flag'];
const coreActions = [
  ...[...driverActions, ...callActions, ...endActions, ...cancelActions, 'fence', 'stop', 'lose the connection'],
  ...['append message', 'append result:DONE,answer', 'append result:UNKNOWN,answer'],
];
const waitingActions = [
  ...[...driverActions, ...endActions, ...cancelActions, 'lose the lease', 'append interrupt', 'let it wait', 'wait'],
  ...['answer', 'append answered:a', 'append answered:b', 'see the answer', 'read a due run', 'resume'],
];

const coreMutants: readonly Mutant[] = [
  ['appendsAtLastSeq', 'I1 seqs have a gap or a duplicate'],
  ['recognisesOwnAppend', I10],
  ['resolvesAppendBeforeNext', 'an epoch has two writers'],
  ['appendsOnlyInOwnEpoch', 'a driver wrote that was fenced'],
  [['appendsOnlyInOwnEpoch', 'announcesAttempt'], 'a driver wrote that was fenced'],
  ['publishesAfterCommit', I10],
  ['claimRaisesEpoch', 'two attempts share an epoch'],
  ['claimsAtReadEpoch', 'a run was claimed from an owner that is alive'],
  ['claimsOnlyActiveRun', 'I2 something follows the terminal event'],
  ['announcesAttempt', 'an attempt wrote that the log does not announce'],
  ['finishesCancelledClaim', 'a run was dispatched that was cancelled when it was claimed'],
  ['releasesUnheldRuns', stuck],
  ['fencesBeforeDispatch', 'I12 a call of an earlier attempt began after a later one had acted'],
  ['intentBeforeEffect', 'I12 a call began before its message was committed'],
  ['nonRepeatableAtMostOnce', I11],
  ['stopRefusesLateCalls', 'a call began after the stop was answered'],
  ['cancelsOnlyCancellable', I7],
  ['acknowledgesCancelAfterCommit', I7],
  ['finishingUnlessCancelRequested', I7],
  ['releasesSessionWithTerminal', 'I4 run 0 is CANCELLED and is the active run'],
];

/** Every configuration by name. */
export const configurations: Readonly<Record<string, Configuration>> = {
  'core, NON_REPEATABLE, any lease may end': {
    search: (guards, faults) => search(coreModel(guards, { leases: 'any', toolClass: 'NON_REPEATABLE', faults })),
    faults: 2,
    minStates: 13_000,
    actions: [...coreActions, 'lose the lease'],
    mutants: coreMutants,
  },
  'core, NON_REPEATABLE, leases end only of frozen owners': {
    search: (guards, faults) => search(coreModel(guards, { leases: 'kept', toolClass: 'NON_REPEATABLE', faults })),
    faults: 2,
    minStates: 19_000,
    actions: [...coreActions, 'freeze', 'wake', 'end the lease'],
    mutants: [],
  },
  'core, IDEMPOTENT': {
    search: (guards, faults) => search(coreModel(guards, { leases: 'any', toolClass: 'IDEMPOTENT', faults })),
    faults: 2,
    minStates: 13_000,
    actions: [...coreActions, 'lose the lease'],
    mutants: [['passesIdempotencyKey', I11]],
  },
  queue: {
    search: (guards, faults) => search(queueModel(guards, faults)),
    faults: 2,
    minStates: 22_000,
    actions: [
      ...[...driverActions, ...endActions, 'lose the lease', 'finish CANCELLED', 'request cancel'],
      ...['delete', 'end a queued run', 'enqueue', 'interrupt'],
    ],
    mutants: [
      ['startsOnlyWhenIdle', 'I4 run 0 is RUNNING and is not the active run'],
      ['startsOnlyWhenNotDeleted', isDeletedAndGoesOn],
      ['enqueuesOnlyWhenActive', 'a run is queued in an idle session'],
      ['interruptsInOneTransaction', 'runs were cancelled for one that does not exist'],
      ['deletesInOneTransaction', isDeletedAndGoesOn],
      ['claimsOnlyActiveRun', 'I2 run CANCELLED without a terminal event'],
      ['promotesWithFinish', 'a run is queued in an idle session'],
      ['promotesTheOldest', 'runs were started in another order than they were asked for'],
    ],
  },
  'waiting without expiry': {
    search: (guards, faults) => search(waitingModel(guards, { expires: false, faults })),
    faults: 2,
    minStates: 23_000,
    actions: waitingActions,
    mutants: [
      ['oneWriterPerEpoch', 'an epoch has two writers'],
      ['cancelMakesWaitingDue', stuck],
      ['answerMakesWaitingDue', stuck],
      ['waitingUnlessCancelRequested', stuck],
      ['waitsOnlyForUnanswered', stuck],
      ['answersOnce', 'two different answers were accepted'],
      ['resumesOnlyWaiting', 'the log has answered twice'],
    ],
  },
  'waiting with expiry': {
    search: (guards, faults) => search(waitingModel(guards, { expires: true, faults })),
    faults: 2,
    minStates: 29_000,
    actions: [...waitingActions, 'expire', 'append answered:expired'],
    mutants: [],
  },
  'two executors': {
    search: (guards, faults) => search(executorsModel(guards, faults)),
    faults: 2,
    minStates: 16_000,
    actions: [
      ...[...endActions, ...callActions, ...cancelActions, 'crash', 'lose the answer', 'stop', 'abort'],
      ...['append a frame', 'cut', 'cut and lose', 'dispatch', 'dispatch again', 'send the message', 'send the result'],
    ],
    mutants: [
      ['appendsOnlyInOwnEpoch', 'I3 the epoch falls along the log'],
      ['everyDispatchHasItsEpoch', 'the log has message twice'],
      ['onlyTheFlagCancels', 'CANCELLED without the flag'],
    ],
  },
  'stream order': {
    search: (guards, faults) => search(streamOrderModel(guards, faults)),
    faults: 2,
    minStates: 12_000,
    actions: [
      ...[...driverActions, ...endActions, 'lose the lease', 'dispatch', 'send', 'begin', 'record', 'append answer'],
      ...['append checkpoint-calls', 'append checkpoint-results', 'append result-0', 'append result-1'],
    ],
    mutants: [
      ['checkpointBehindStream', 'a checkpoint is in the log without what was streamed before it'],
      ['answersOnlyUnanswered', 'the log has result-0 twice'],
    ],
  },
  publishing: {
    search: (guards, faults) => search(publishingModel(guards, faults)),
    faults: 2,
    minStates: 50_000,
    actions: [
      ...[...driverActions, ...endActions, ...cancelActions, 'lose the lease', 'lose the connection', 'dispatch'],
      ...['complete', 'fail', 'stop', 'look at the row', 'finish FAILED', 'request rollback', 'change a file'],
      ...['publish', 'drop', 'read the answer', 'send CommitRun', 'send RollbackRun'],
    ],
    mutants: [
      ['decidesBeforePublishing', isDispatchedAfterCommit],
      ['decidesFailureBeforePublishing', isDispatchedAfterCommit],
      ['finishesDecidedClaim', isDispatchedAfterCommit],
      ['endsOnlyOwnCancelled', isDispatchedAfterCommit],
      ['publishesBeforeFinish', 'a run is COMPLETED and its files are not published'],
      ['publishesOnce', 'files were published twice'],
      ['rollsBackInOneStatement', isNotRolledBack],
      ['rollsBackOnlyUndecided', 'a run is to be rolled back whose end is decided'],
      ['endsMarkedOnlyRolledBack', isNotRolledBack],
      ['supersedesWithFinish', isNotRolledBack],
    ],
  },
  reservations: {
    search: (guards, faults) => search(reservationsModel(guards, faults)),
    faults: 3,
    minStates: 8_000,
    actions: [
      ...[...driverActions, ...endActions, 'lose the lease', 'ask the model', 'finish FAILED', 'append usage'],
      ...['append reserve-1', 'append reserve-2', 'append reserve-3', 'append reserve-4'],
      ...['append settled-2', 'append settled-3', 'append settled-4'],
    ],
    mutants: [
      ['reservesBeforeModelCall', 'the provider has charged what no budget accounts for'],
      ['settlesReservationsInFull', 'the provider has charged what no budget accounts for'],
    ],
  },
};
