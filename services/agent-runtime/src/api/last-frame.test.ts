import { Code } from '@connectrpc/connect';
import { ErrorReason } from '@spanwise/contracts/spanwise/error/v1/error';
import { FinishReason } from '@spanwise/contracts/spanwise/event/v1/event';
import { YieldReason } from '@spanwise/contracts/spanwise/runtime/v1/runtime';
import { DomainError } from '@spanwise/kernel';
import { describe, expect, it } from 'vitest';
import { modelRateLimited } from '../domain/model/model-errors.ts';
import { noUsage } from '../domain/model/token-usage.ts';
import { runDeadlineExceeded } from '../domain/run/run-errors.ts';
import type { RunEnd } from '../domain/run/run-outcome.ts';
import { lastResponse } from './last-frame.ts';

const outcomeOf = (end: RunEnd) => {
  const { frame } = lastResponse({ ...end, usage: { ...noUsage, inputTokens: 7n } });
  expect(frame).toMatchObject({ case: 'finish', value: { usage: { inputTokens: 7n } } });
  return frame.case === 'finish' ? frame.value.outcome : undefined;
};

describe('the last frame', () => {
  it.each([
    ['stop', FinishReason.STOP],
    ['max-turns', FinishReason.MAX_TURNS],
    ['length', FinishReason.LENGTH],
    ['content-filter', FinishReason.CONTENT_FILTER],
  ] as const)('says why a run completed: %s', (finish, value) => {
    expect(outcomeOf({ ended: 'completed', finish })).toEqual({ case: 'completed', value });
  });

  it('says that a run was aborted', () => {
    expect(outcomeOf({ ended: 'aborted' })).toMatchObject({ case: 'aborted' });
  });

  it('says what a run failed with, and when it may be tried again', () => {
    expect(outcomeOf({ ended: 'failed', error: modelRateLimited(1_500) })).toMatchObject({
      case: 'failed',
      value: {
        code: Code.ResourceExhausted,
        reason: ErrorReason.MODEL_RATE_LIMITED,
        retryable: true,
        retryAfter: { seconds: 1n, nanos: 500_000_000 },
      },
    });
    expect(outcomeOf({ ended: 'failed', error: runDeadlineExceeded() })).toMatchObject({
      case: 'failed',
      value: { code: Code.DeadlineExceeded, reason: ErrorReason.RUN_DEADLINE_EXCEEDED, retryable: false },
    });
  });

  it.each([
    ['waiting', YieldReason.WAITING],
    ['detached', YieldReason.DETACHED],
  ] as const)('says that the run goes on in another dispatch: %s', (why, reason) => {
    const { frame } = lastResponse({ ended: 'yielded', why, usage: { ...noUsage, inputTokens: 7n } });
    expect(frame).toMatchObject({ case: 'yield', value: { reason, usage: { inputTokens: 7n } } });
  });

  it('is an error when another dispatch took the run over', () => {
    const error = new DomainError('aborted', 'FENCED', 'Another dispatch took the run over.');
    expect(() => lastResponse({ ended: 'fenced', error, usage: noUsage })).toThrow(error);
  });

  it('keeps the cause of a failure to itself', () => {
    const error = new DomainError('internal', 'INTERNAL', 'Internal error.', { cause: new RangeError('secret') });
    expect(JSON.stringify(outcomeOf({ ended: 'failed', error }))).not.toContain('secret');
  });
});
