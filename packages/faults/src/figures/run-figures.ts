import { ErrorReason } from '@spanwise/contracts/spanwise/error/v1/error';
import { AttemptReason } from '@spanwise/contracts/spanwise/event/v1/event';
import type { Evidence } from '../evidence/evidence.ts';
import type { FaultKind } from '../nemesis/fault-log.ts';
import { type Spread, spreadOf } from './percentiles.ts';

const reasonNames = new Map<number, string>(Object.entries(AttemptReason).map(([name, number]) => [number, name]));

const errorNames = new Map<number, string>(Object.entries(ErrorReason).map(([name, number]) => [number, name]));

/** What the suite measures beside right and wrong; in milliseconds. */
export interface RunFigures {
  /** Runs by status. */
  readonly runs: Readonly<Record<string, number>>;
  /** Runs that failed, by reason. */
  readonly failures: Readonly<Record<string, number>>;
  /** RUN_ATTEMPT events by reason. */
  readonly attempts: Readonly<Record<string, number>>;
  /** Reconnects of clients by why. */
  readonly reconnects: Readonly<Record<string, number>>;
  /** From the request of a cancel to the terminal event at the client that follows the run. */
  readonly cancel: Spread | undefined;
  /** From the request of a run in the place of the active one to its RUN_START. */
  readonly rollback: Spread | undefined;
  /** From the death of a driver or an executor to the RUN_ATTEMPT that it caused. */
  readonly recovery: Spread | undefined;
  /** Those of them that were killed, and those that were frozen. */
  readonly recoveryOfKilled: Spread | undefined;
  readonly recoveryOfFrozen: Spread | undefined;
  /** Effects that were begun. */
  readonly effects: number;
  /** Files that runs have published, each as often as it was. */
  readonly filesPublished: number;
  /** Those of them that a later run has overwritten. */
  readonly filesOverwritten: number;
}

/** Works the figures out of what happened. */
export function figuresOf(evidence: Evidence): RunFigures {
  const { runs, events, history, effects, files } = evidence;
  const recoveries = recoveriesOf(evidence);
  const recoveryOf = (kind: FaultKind) =>
    spreadOf(recoveries.filter(({ cause }) => cause === kind).map(({ ms }) => ms));
  const attempts = events.flatMap(({ event }) => (event.data.case === 'runAttempt' ? [event.data.value.reason] : []));
  return {
    runs: countBy(runs.map(({ status }) => status)),
    failures: countBy(failureReasons(evidence)),
    attempts: countBy(attempts.map((reason) => reasonNames.get(reason) ?? String(reason))),
    reconnects: countBy(history.flatMap((entry) => (entry.kind === 'reconnect' ? [entry.why] : []))),
    cancel: spreadOf(cancelTimes(evidence)),
    rollback: spreadOf(rollbackTimes(evidence)),
    recovery: spreadOf(recoveries.map(({ ms }) => ms)),
    recoveryOfKilled: recoveryOf('kill'),
    recoveryOfFrozen: recoveryOf('freeze'),
    effects: effects.filter(({ phase }) => phase === 'begin').length,
    filesPublished: files.length,
    filesOverwritten: files.filter(({ toHead }) => toHead !== undefined).length,
  };
}

function failureReasons({ events }: Evidence): readonly string[] {
  return events.flatMap(({ event: { data } }) => {
    return data.case === 'runError' ? [errorNames.get(data.value.error?.reason ?? 0) ?? 'unknown'] : [];
  });
}

function cancelTimes({ history }: Evidence): readonly number[] {
  const endedMs = new Map<string, number>();
  for (const entry of history) {
    if (entry.kind === 'ended' && !endedMs.has(entry.runId)) {
      endedMs.set(entry.runId, entry.atMs);
    }
  }
  return history.flatMap((entry) => {
    const atMs = entry.kind === 'cancelled' && entry.isAccepted ? endedMs.get(entry.runId) : undefined;
    return entry.kind === 'cancelled' && atMs !== undefined ? [Math.max(0, atMs - entry.askedAtMs)] : [];
  });
}

/** Runs that were taken out of the queue before they began do not count. */
function rollbackTimes({ history, runs, events }: Evidence): readonly number[] {
  const runIds = new Map(runs.map(({ id, sessionId, requestId }) => [`${sessionId} ${requestId}`, id]));
  const startedMs = new Map(
    events.flatMap(({ event, runId, createdAtMs }) =>
      event.data.case === 'runStart' ? [[runId, createdAtMs] as const] : [],
    ),
  );
  return history.flatMap((entry) => {
    const runId = entry.kind === 'rollback' ? runIds.get(`${entry.sessionId} ${entry.requestId}`) : undefined;
    const atMs = runId === undefined ? undefined : startedMs.get(runId);
    return atMs === undefined ? [] : [Math.max(0, atMs - entry.atMs)];
  });
}

/** What takes drivers or executors away without touching them. */
const aroundThem: ReadonlySet<FaultKind> = new Set([
  'database-kill',
  'database-freeze',
  'disk-full',
  'cut',
  'black-hole',
  'one-way',
]);

/** The nearest fault before a take-over that can have caused it counts as its cause. */
function recoveriesOf({ events, faults }: Evidence): readonly { readonly cause: FaultKind; readonly ms: number }[] {
  const causes = new Map<number, string>([
    [AttemptReason.DRIVER_LOST, 'session'],
    [AttemptReason.EXECUTOR_LOST, 'agent-runtime'],
  ]);
  return events.flatMap(({ event, createdAtMs }) => {
    const cause = event.data.case === 'runAttempt' ? causes.get(event.data.value.reason) : undefined;
    const fault = faults.findLast(
      ({ kind, atMs, target }) =>
        cause !== undefined &&
        atMs <= createdAtMs &&
        (aroundThem.has(kind) || ((kind === 'kill' || kind === 'freeze') && target.startsWith(cause))),
    );
    return fault === undefined ? [] : [{ cause: fault.kind, ms: createdAtMs - fault.atMs }];
  });
}

export function countBy(names: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const name of names) {
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
