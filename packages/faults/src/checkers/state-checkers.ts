import type { Evidence, RunRow } from '../evidence/evidence.ts';
import { violation } from './log-checkers.ts';
import type { Violation } from './violation.ts';

/** Dispatches after which a run is given up. */
const maxAttempts = 20;

/**
 * I4: a session is RUNNING or WAITING iff its active run is; an idle one has none, and nothing in its queue. No other run
 * of a session goes on.
 */
export function checkSessionStates({ sessions, runs }: Evidence): readonly Violation[] {
  const byId = new Map(runs.map((run) => [run.id, run]));
  const queued = Map.groupBy(
    runs.filter(({ status }) => status === 'QUEUED'),
    ({ sessionId }) => sessionId,
  );
  const found = sessions.flatMap(({ id, status, activeRunId, isDeleted }) => {
    const active = activeRunId === undefined ? undefined : byId.get(activeRunId);
    const expected = stateOf(active);
    const isStuck = status === 'IDLE' && queued.has(id) && !isDeleted;
    return [
      ...(expected === status ? [] : [violation('I4', `session ${id} is ${status}, its run ${active?.status}`)]),
      ...(isStuck ? [violation('I4', `session ${id} is idle and has runs in its queue`)] : []),
    ];
  });
  const activeRuns = new Map(sessions.map(({ id, activeRunId }) => [id, activeRunId]));
  const forgotten = runs.filter(({ id, sessionId, status }) => {
    return activeRuns.has(sessionId) && statesByRun.has(status) && activeRuns.get(sessionId) !== id;
  });
  return [
    ...found,
    ...forgotten.map(({ id, status, sessionId }) => {
      return violation('I4', `run ${id} is ${status} and not the active run of session ${sessionId}`);
    }),
  ];
}

/** What a session is while its active run is so; other runs are none that goes on. */
const statesByRun: ReadonlyMap<RunRow['status'], string> = new Map([
  ['RUNNING', 'RUNNING'],
  ['FINISHING', 'RUNNING'],
  ['WAITING', 'WAITING'],
]);

function stateOf(active: RunRow | undefined): string {
  return active === undefined ? 'IDLE' : (statesByRun.get(active.status) ?? `none, for its run is ${active.status}`);
}

/** I5: no run goes on later than the last fault, lease, reaper and slack; those that wait for their user apart. */
export function checkProgress({ sessions, runs, faults, readAtMs, recoveryMs }: Evidence): readonly Violation[] {
  const waiting = new Set(sessions.filter(({ status }) => status === 'WAITING').map(({ id }) => id));
  const lastFaultMs = Math.max(0, ...faults.map(({ atMs }) => atMs));
  if (readAtMs < lastFaultMs + recoveryMs) {
    return [];
  }
  return runs
    .filter(({ status, sessionId, isCancelRequested }) => {
      const mayWait = waiting.has(sessionId) && (status === 'WAITING' || status === 'QUEUED') && !isCancelRequested;
      return !mayWait && ['QUEUED', 'RUNNING', 'FINISHING', 'WAITING'].includes(status);
    })
    .map(({ id, status }) => {
      const lateMs = readAtMs - lastFaultMs;
      return violation('I5', `run ${id} is still ${status} ${(lateMs / 1000).toFixed(0)} s after the last fault`);
    });
}

/** I7: a run whose cancel was accepted is CANCELLED or FAILED; never COMPLETED. While it goes on nothing is said. */
export function checkCancels({ runs, history }: Evidence): readonly Violation[] {
  const accepted = new Set(
    history.flatMap((entry) => (entry.kind === 'cancelled' && entry.isAccepted ? [entry.runId] : [])),
  );
  return runs
    .filter(({ id, status }) => accepted.has(id) && status === 'COMPLETED')
    .map(({ id }) => violation('I7', `run ${id} was cancelled and has completed`));
}

/** I15: dispatches are bounded, and a run that was given up has left its session. */
export function checkAttempts({ sessions, runs }: Evidence): readonly Violation[] {
  const held = new Set(sessions.map(({ activeRunId }) => activeRunId));
  const over = runs.filter(({ status }) => status === 'FAILED');
  return [
    ...runs
      .filter(({ attempt }) => attempt > maxAttempts)
      .map(({ id, attempt }) => violation('I15', `run ${id} was dispatched ${attempt} times`)),
    ...over
      .filter(({ id }) => held.has(id))
      .map(({ id }) => violation('I15', `run ${id} failed and keeps its session`)),
  ];
}

/** I6: the same request_id is answered with the same run, by every replica and after every break. */
export function checkRequests({ runs, history }: Evidence): readonly Violation[] {
  const answers = new Map<string, Set<string>>();
  for (const entry of history) {
    if (entry.kind === 'started') {
      const key = `${entry.sessionId} ${entry.requestId}`;
      answers.set(key, (answers.get(key) ?? new Set()).add(entry.runId));
    }
  }
  const known = new Set(runs.map(({ id }) => id));
  return [...answers].flatMap(([key, ids]) => [
    ...(ids.size === 1 ? [] : [violation('I6', `request ${key} was answered with ${[...ids].join(', ')}`)]),
    ...[...ids].filter((id) => !known.has(id)).map((id) => violation('I6', `run ${id} was told of and is not stored`)),
  ]);
}
