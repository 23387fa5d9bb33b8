import { AttemptReason } from '@spanwise/contracts/spanwise/event/v1/event';
import { describe, expect, test } from 'vitest';
import { eventRow, goodEvidence } from '../../tests/doubles/good-evidence.ts';
import { file } from '../../tests/doubles/good-files.ts';
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

  test('measure a rollback from its request to the beginning of the run that has asked for it', () => {
    const history: readonly HistoryEntry[] = [
      { atMs: 70, monotonicMs: 0, client: 'client', kind: 'rollback', sessionId: 'session', requestId: 'script-1' },
      { atMs: 80, monotonicMs: 0, client: 'client', kind: 'rollback', sessionId: 'session', requestId: 'in-queue' },
    ];
    expect(figuresOf(goodEvidence({ history })).rollback).toEqual({ count: 1, p50: 30, p99: 30, max: 30 });
  });

  test('count what was published, and what was overwritten of it', () => {
    const evidence = goodEvidence({
      files: [
        { ...file, toHead: 9 },
        { ...file, head: 9 },
      ],
    });
    const { filesPublished, filesOverwritten } = figuresOf(evidence);
    expect({ filesPublished, filesOverwritten }).toEqual({ filesPublished: 2, filesOverwritten: 1 });
  });

  test('are none without values', () => {
    expect(spreadOf([])).toBeUndefined();
    expect(spreadOf([3, 1, 2])).toEqual({ count: 3, p50: 2, p99: 3, max: 3 });
  });
});
