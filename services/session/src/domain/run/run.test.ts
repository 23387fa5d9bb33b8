import { describe, expect, test } from 'vitest';
import { sessionStatusesBefore, sessionTransitions, statusesBefore } from '../session/session.ts';
import {
  cancellableStatuses,
  isOver,
  pauseAfterLosses,
  type RunStatus,
  runStatusesBefore,
  runTransitions,
} from './run.ts';

/** Every transition that exists, as the design lists them. */
const runAllowed = [
  ...['QUEUED → RUNNING', 'QUEUED → CANCELLED'],
  ...['RUNNING → WAITING', 'RUNNING → FINISHING', 'RUNNING → CANCELLED', 'RUNNING → FAILED'],
  ...['WAITING → RUNNING', 'WAITING → CANCELLED', 'WAITING → FAILED'],
  ...['FINISHING → COMPLETED', 'FINISHING → FAILED'],
];
const sessionAllowed = ['IDLE → RUNNING', 'RUNNING → WAITING', 'RUNNING → IDLE', 'WAITING → RUNNING', 'WAITING → IDLE'];

function allowedBy<Status extends string>(transitions: Readonly<Record<Status, readonly Status[]>>): string[] {
  const statuses = Object.keys(transitions) as Status[];
  const pairs = statuses.flatMap((from) => statuses.map((to) => [from, to] as const));
  return pairs.filter(([from, to]) => statusesBefore(transitions, to).includes(from)).map((pair) => pair.join(' → '));
}

describe('transitions', () => {
  test('of a run are exactly the listed ones', () => {
    expect(allowedBy(runTransitions).sort()).toEqual(runAllowed.toSorted());
  });

  test('of a session are exactly the listed ones', () => {
    expect(allowedBy(sessionTransitions).sort()).toEqual(sessionAllowed.toSorted());
  });

  test('lead to each status from these', () => {
    expect(runStatusesBefore('CANCELLED')).toEqual(['QUEUED', 'RUNNING', 'WAITING']);
    expect(runStatusesBefore('COMPLETED')).toEqual(['FINISHING']);
    expect(runStatusesBefore('FAILED')).toEqual(['RUNNING', 'WAITING', 'FINISHING']);
    expect(runStatusesBefore('QUEUED')).toEqual([]);
    expect(sessionStatusesBefore('IDLE')).toEqual(['RUNNING', 'WAITING']);
    expect(sessionStatusesBefore('RUNNING')).toEqual(['IDLE', 'WAITING']);
  });

  test('leave a run that is over where it is', () => {
    const statuses = Object.keys(runTransitions) as RunStatus[];
    expect(statuses.filter(isOver)).toEqual(['COMPLETED', 'CANCELLED', 'FAILED']);
  });

  test('lead to CANCELLED from wherever a cancel is accepted, and from nowhere else', () => {
    expect(cancellableStatuses).toEqual(runStatusesBefore('CANCELLED'));
  });
});

test('the first lost attempt is repeated at once, the next ones wait', () => {
  const pauses = [0, 1, 2, 3, 4].map((lostAttempts) => pauseAfterLosses({ lostAttempts }));
  expect(pauses).toEqual([0, 0, 1000, 2000, 4000]);
});
