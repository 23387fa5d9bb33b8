import { describe, expect, it } from 'vitest';
import type { ModelPart } from '../src/domain/model/model-part.ts';
import type { ModelProvider } from '../src/domain/model/model-provider.ts';
import type { ModelRequest } from '../src/domain/model/model-request.ts';
import { userMessage } from './doubles/run-world.ts';

/** What a model does in a test. */
export type Scenario =
  | 'text'
  | 'reasoning'
  | 'calls'
  | 'length'
  | 'content-filter'
  | 'no stop reason'
  | 'no usage'
  | 'rate limited'
  | 'rejected'
  | 'fails after 100 deltas'
  | 'silent after a delta';

/** Lets an adapter meet the scenarios. */
export interface ModelProviderHarness {
  readonly name: string;
  /** The ways in which the scenario can be told; each must come out the same. */
  readonly recordings: Readonly<Record<Scenario, readonly string[]>>;
  play(scenario: Scenario, recording: string): Promise<{ readonly provider: ModelProvider } & AsyncDisposable>;
}

export const request: ModelRequest = {
  model: 'test-model',
  instructions: 'Be brief.',
  tools: [],
  messages: [userMessage('hello')],
  maxOutputTokens: 100,
};

/** What every adapter owes the loop. */
export function modelProviderContract(harness: ModelProviderHarness): void {
  const { recordings } = harness;
  const play = async (scenario: Scenario, recording: string, signal = new AbortController().signal) => {
    await using playing = await harness.play(scenario, recording);
    // Awaited here: the model must not go away before it has answered.
    return await collect(playing.provider, signal);
  };

  describe(`${harness.name} as a model provider`, () => {
    it.each(recordings.text)('streams text as it comes: %s', async (recording) => {
      const { parts, error } = await play('text', recording);
      expect(error).toBeUndefined();
      assertGrammar(parts);
      expect(textOf(parts, 'text-delta')).toBe('Grüße,  😀.');
      expect(parts.filter(({ type }) => type === 'text-delta').length).toBeGreaterThan(1);
      expect(parts.slice(-2)).toMatchObject([
        { type: 'usage', usage: { inputTokens: 812n, outputTokens: 64n, cachedInputTokens: 512n, estimated: false } },
        { type: 'finish', reason: 'stop' },
      ]);
    });

    it.each(recordings.reasoning)('tells reasoning from text: %s', async (recording) => {
      const { parts } = await play('reasoning', recording);
      assertGrammar(parts);
      expect(textOf(parts, 'reasoning-delta')).toBe('They greet me.');
      expect(textOf(parts, 'text-delta')).toBe('Hello.');
      const types = parts.map(({ type }) => type);
      expect(types.indexOf('reasoning-end')).toBeLessThan(types.indexOf('text-start'));
    });

    it.each(recordings.calls)('streams the arguments of several calls: %s', async (recording) => {
      const { parts, error } = await play('calls', recording);
      expect(error).toBeUndefined();
      assertGrammar(parts);
      expect(parts.flatMap((part) => (part.type === 'tool-call-end' ? [[part.name, part.argumentsJson]] : []))).toEqual(
        [
          ['read', '{"path":"/library/ä.txt"}'],
          ['grep', '{"pattern":"x"}'],
        ],
      );
    });

    it.each([
      ...recordings.length.map((recording) => ['length', recording] as const),
      ...recordings['content-filter'].map((recording) => ['content-filter', recording] as const),
    ])('tells that an answer ended by %s: %s', async (reason, recording) => {
      const { parts } = await play(reason, recording);
      assertGrammar(parts);
      expect(parts.at(-1)).toMatchObject({ type: 'finish', reason });
    });

    it.each(recordings['no stop reason'])('never takes a broken stream for an answer: %s', async (recording) => {
      const { parts, error } = await play('no stop reason', recording);
      expect(error).toMatchObject({ reason: 'STREAM_INCOMPLETE', kind: 'unavailable' });
      expect(textOf(parts, 'text-delta')).toBe('Grüße, ');
      expect(parts.some(({ type }) => type === 'finish')).toBe(false);
    });

    it.each(recordings['no usage'])('estimates what is not reported, and says so: %s', async (recording) => {
      const { parts } = await play('no usage', recording);
      const usage = parts.find((part) => part.type === 'usage')?.usage;
      expect(usage?.estimated).toBe(true);
      expect(usage?.inputTokens).toBeGreaterThan(0n);
      expect(usage?.inputTokens).toBeLessThan(100n);
      expect(usage?.outputTokens).toBeGreaterThan(0n);
      expect(usage?.outputTokens).toBeLessThan(100n);
    });

    it.each(recordings['rate limited'])('passes on how long to wait: %s', async (recording) => {
      const { parts, error } = await play('rate limited', recording);
      expect(parts).toEqual([]);
      expect(error).toMatchObject({ reason: 'MODEL_RATE_LIMITED', kind: 'exhausted', retryAfterMs: 2000 });
    });

    it.each(recordings.rejected)('tells a request that is refused from one that failed: %s', async (recording) => {
      const { parts, error } = await play('rejected', recording);
      expect(parts).toEqual([]);
      expect(error).toMatchObject({ reason: 'MODEL_REJECTED', kind: 'precondition' });
    });

    it.each(recordings['fails after 100 deltas'])('passes on what came before a failure: %s', async (recording) => {
      const { parts, error } = await play('fails after 100 deltas', recording);
      expect(textOf(parts, 'text-delta')).toBe('x'.repeat(100));
      expect(error).toMatchObject({ reason: 'MODEL_UNAVAILABLE', kind: 'unavailable' });
    });

    it.each(recordings['silent after a delta'])(
      'throws the reason of its signal when that is aborted: %s',
      async (recording) => {
        await using playing = await harness.play('silent after a delta', recording);
        const stop = new AbortController();
        const reason = new RangeError('stop');
        const parts = playing.provider.stream(request, { signal: stop.signal })[Symbol.asyncIterator]();
        expect((await parts.next()).value).toEqual({ type: 'text-start' });
        expect((await parts.next()).value).toEqual({ type: 'text-delta', text: 'a' });
        const next = parts.next();
        stop.abort(reason);
        await expect(next).rejects.toBe(reason);
      },
    );

    it('asks nobody when its signal is aborted before', async () => {
      const reason = new RangeError('stop');
      const { parts, error } = await play('text', recordings.text[0] ?? '', AbortSignal.abort(reason));
      expect(parts).toEqual([]);
      expect(error).toBe(reason);
    });
  });
}

/** All parts, and what the stream failed with. */
export async function collect(provider: ModelProvider, signal: AbortSignal, asked = request) {
  const parts: ModelPart[] = [];
  try {
    for await (const part of provider.stream(asked, { signal })) {
      parts.push(part);
    }
    return { parts, error: undefined };
  } catch (error) {
    return { parts, error };
  }
}

function textOf(parts: readonly ModelPart[], type: 'text-delta' | 'reasoning-delta'): string {
  return parts.flatMap((part) => (part.type === type ? [part.text] : [])).join('');
}

/** Blocks are opened and closed once, deltas lie within, arguments are their deltas, usage and finish come last. */
function assertGrammar(parts: readonly ModelPart[]): void {
  const open = new Map<string, string>();
  for (const part of parts.slice(0, -2)) {
    const [, kind = '', stage = ''] = /^(.*)-(start|delta|end)$/.exec(part.type) ?? [];
    const key = 'id' in part ? part.id : kind;
    expect(open.has(key), `${part.type} of a block that is ${stage === 'start' ? 'open' : 'not open'}`).toBe(
      stage !== 'start',
    );
    if ('text' in part) {
      open.set(key, `${open.get(key)}${part.text}`);
    } else if (stage === 'start') {
      open.set(key, '');
    } else {
      expect('argumentsJson' in part ? part.argumentsJson : undefined).toBe(
        part.type === 'tool-call-end' ? open.get(key) : undefined,
      );
      open.delete(key);
    }
  }
  expect([...open.keys()]).toEqual([]);
  expect(parts.slice(-2).map(({ type }) => type)).toEqual(['usage', 'finish']);
}
