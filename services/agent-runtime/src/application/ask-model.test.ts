import { describe, expect, it } from 'vitest';
import { RunWorld } from '../../tests/doubles/run-world.ts';
import { modelRateLimited, modelRejected, modelUnavailable } from '../domain/model/model-errors.ts';
import { asksFor, finish, says, text } from '../infrastructure/model-providers/scripted/script.ts';

const never = new Promise<never>(() => undefined);
const failing = { steps: [{ type: 'fail', error: modelUnavailable('it answered 503') }] } as const;
const half = { steps: text('half an ans').slice(0, 2) };

describe('asking a model that fails before it says anything', () => {
  it('asks again up to three times, waiting longer each time', async () => {
    const world = new RunWorld({ script: [failing, failing, failing, says('hi')] });
    const running = world.run();
    for (const [waitMs, requests] of [
      [500, 2],
      [1000, 3],
      [2000, 4],
    ] as const) {
      await world.time.advance(waitMs - 1);
      expect(world.model.requests).toHaveLength(requests - 1);
      await world.time.advance(1);
      expect(world.model.requests).toHaveLength(requests);
    }
    expect(await running).toMatchObject({ ended: 'completed', finish: 'stop' });
    expect(world.journal.said('messageAbandoned')).toEqual([]);
  });

  it('fails with MODEL_UNAVAILABLE after the third retry', async () => {
    const world = new RunWorld({ script: [failing, failing, failing, failing, says('never')] });
    const running = world.run();
    await world.time.advance(60_000);
    expect(await running).toMatchObject({ ended: 'failed', error: { reason: 'MODEL_UNAVAILABLE' } });
    expect(world.model.remaining).toBe(1);
    expect(world.journal.said('spanEnd').map(({ status, errorType }) => [status, errorType])).toEqual(
      Array.from({ length: 5 }, () => [2, 'MODEL_UNAVAILABLE']),
    );
  });

  it('waits as long as the service asks for', async () => {
    const limited = { steps: [{ type: 'fail', error: modelRateLimited(7_000) }] } as const;
    const world = new RunWorld({ script: [limited, says('hi')] });
    const running = world.run();
    await world.time.advance(6_999);
    expect(world.model.requests).toHaveLength(1);
    await world.time.advance(1);
    expect(await running).toMatchObject({ ended: 'completed' });
  });

  it('does not wait beyond the run’s deadline, and passes on when to come back', async () => {
    const limited = { steps: [{ type: 'fail', error: modelRateLimited(7_000) }] } as const;
    const deadlineMs = Date.UTC(2026, 0, 1) + 7_000;
    const world = new RunWorld({ script: [limited, says('never')], dispatch: { deadlineMs } });
    expect(await world.run()).toMatchObject({
      ended: 'failed',
      error: { reason: 'MODEL_RATE_LIMITED', retryAfterMs: 7_000 },
    });
  });

  it('does not repeat a request that was refused', async () => {
    const refused = { steps: [{ type: 'fail', error: modelRejected('no such model') }] } as const;
    const world = new RunWorld({ script: [refused, says('never')] });
    expect(await world.run()).toMatchObject({ ended: 'failed', error: { reason: 'MODEL_REJECTED' } });
    expect(world.model.remaining).toBe(1);
  });
});

describe('asking a model that breaks off after it was heard', () => {
  it('abandons the message and asks again under a new id', async () => {
    const world = new RunWorld({ script: [half, says('the whole')] });
    const running = world.run();
    await world.journal.until('messageAbandoned');
    await world.time.advance(500);
    expect(await running).toMatchObject({ ended: 'completed', finish: 'stop' });
    const [first, second] = world.journal.said('textStart');
    expect(world.journal.said('messageAbandoned')).toEqual([{ messageId: first?.messageId, reason: 1 }]);
    expect(world.journal.messages).toMatchObject([{ id: second?.messageId }]);
    expect(world.model.requests[1]?.messages).toEqual(world.history);
  });

  it('fails with STREAM_INCOMPLETE after the second restart', async () => {
    const world = new RunWorld({ script: [half, half, half, says('never')] });
    const running = world.run();
    await world.time.advance(60_000);
    expect(await running).toMatchObject({ ended: 'failed', error: { reason: 'STREAM_INCOMPLETE' } });
    expect(world.journal.said('messageAbandoned').map(({ reason }) => reason)).toEqual([1, 1, 2]);
    expect(world.journal.messages).toEqual([]);
    expect(world.model.remaining).toBe(1);
  });

  it('keeps what earlier turns stored', async () => {
    const read = { name: 'read', effect: 'read-only', run: () => 'ok' } as const;
    const refused = { steps: [{ type: 'fail', error: modelRejected('too large') }] } as const;
    const world = new RunWorld({ script: [asksFor({ tool: 'read', argumentsJson: '{}' }), refused], tools: [read] });
    expect(await world.run()).toMatchObject({ ended: 'failed', usage: { inputTokens: 10n } });
    expect(world.journal.messages).toHaveLength(2);
  });

  it('takes nothing of an answer for a finished one that has no stop reason', async () => {
    const world = new RunWorld({ script: [half, half, half] });
    const silent: AsyncIterable<never> = {
      [Symbol.asyncIterator]: () => ({ next: async () => ({ done: true, value: undefined }) }),
    };
    world.model.stream = () => silent as ReturnType<typeof world.model.stream>;
    const running = world.run();
    await world.time.advance(60_000);
    expect(await running).toMatchObject({ ended: 'failed', error: { reason: 'STREAM_INCOMPLETE' } });
  });
});

describe('asking a model that stalls', () => {
  it('asks again when its first token takes more than a minute', async () => {
    const world = new RunWorld({ script: [{ steps: [{ type: 'pause', until: never }] }, says('hi')] });
    const running = world.run();
    await world.time.advance(59_999);
    expect(world.journal.said('spanEnd')).toEqual([]);
    await world.time.advance(1);
    expect(world.journal.said('spanEnd')).toEqual([{ status: 2, errorType: 'MODEL_UNAVAILABLE', attributes: {} }]);
    await world.time.advance(500);
    expect(await running).toMatchObject({ ended: 'completed' });
  });

  it('abandons the message when the next token takes more than thirty seconds, counted from the last one', async () => {
    const gate = Promise.withResolvers<void>();
    const slow = {
      steps: [
        ...text('a').slice(0, 2),
        { type: 'pause', until: gate.promise } as const,
        ...text('b').slice(1, 2),
        { type: 'pause', until: never } as const,
      ],
    };
    const world = new RunWorld({ script: [slow, says('hi')] });
    const running = world.run();
    await world.journal.until('textDelta');
    await world.time.advance(20_000);
    gate.resolve();
    await world.journal.until('textDelta', 2);
    await world.time.advance(29_999);
    expect(world.journal.said('messageAbandoned')).toEqual([]);
    await world.time.advance(1);
    expect(world.journal.said('messageAbandoned')).toHaveLength(1);
    await world.time.advance(500);
    expect(await running).toMatchObject({ ended: 'completed' });
  });
});

describe('asking a model that does not stop', () => {
  it('cuts the answer when it no longer fits into one frame, and closes the connection', async () => {
    const piece = 'x'.repeat(1024 * 1024);
    const world = new RunWorld({
      script: [{ steps: [...text(piece, piece, piece, piece, piece, piece), ...finish('stop')] }],
    });
    const outcome = await world.run();
    expect(outcome).toMatchObject({ ended: 'completed', finish: 'length', usage: { estimated: true } });
    expect(world.journal.said('textEnd')).toMatchObject([{ length: 5n * 1024n * 1024n }]);
  });
});
