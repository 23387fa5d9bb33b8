import { AttemptReason } from '@spanwise/contracts/spanwise/event/v1/event';
import { describe, expect, test } from 'vitest';
import { eventRow, goodEvidence } from '../../tests/doubles/good-evidence.ts';
import type { HistoryEntry } from '../clients/history.ts';
import { spreadOf } from './percentiles.ts';
import { figuresOf } from './run-figures.ts';

describe('the figures', () => {
  test('measure a cancel from its request to the end that a client has seen first', () => {
    const timed = { monotonicMs: 0, client: 'client', runId: 'run' };
    const cancelled = {
      kind: 'cancelled',
      sessionId: 'session',
      isAccepted: true,
      isWaited: false,
      receipt: [],
    } as const;
    const history: readonly HistoryEntry[] = [
      { ...timed, ...cancelled, atMs: 1010, askedAtMs: 1000 },
      { ...timed, kind: 'ended', terminal: 'runEnd', atMs: 1040 },
      { ...timed, kind: 'ended', terminal: 'runEnd', atMs: 1900 },
    ];
    expect(figuresOf(goodEvidence({ history })).cancel).toEqual({ count: 1, p50: 40, p99: 40, max: 40 });
  });

  test('measure a recovery from the nearest death of the kind of process that was lost', () => {
    const events = [eventRow(7, { case: 'runAttempt', value: { attempt: 2, reason: AttemptReason.DRIVER_LOST } }, 2)];
    const faults = [
      { atMs: 100, kind: 'kill', target: 'session-1' },
      { atMs: 400, kind: 'kill', target: 'session-0' },
      { atMs: 600, kind: 'kill', target: 'agent-runtime-0' },
    ] as const;
    const { recovery, recoveryOfKilled, recoveryOfFrozen, attempts } = figuresOf(goodEvidence({ events, faults }));
    const spread = { count: 1, p50: 300, p99: 300, max: 300 };
    expect({ recovery, recoveryOfKilled, recoveryOfFrozen, attempts }).toEqual({
      ...{ recovery: spread, recoveryOfKilled: spread, recoveryOfFrozen: undefined },
      attempts: { DRIVER_LOST: 1 },
    });
  });

  test('are none without values', () => {
    expect(spreadOf([])).toBeUndefined();
    expect(spreadOf([3, 1, 2])).toEqual({ count: 3, p50: 2, p99: 3, max: 3 });
  });
});
