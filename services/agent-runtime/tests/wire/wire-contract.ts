import { describe, expect, it } from 'vitest';
import type { ModelProvider } from '../../src/domain/model/model-provider.ts';
import { collect, modelProviderContract, request, type Scenario } from '../model-provider.contract.ts';

/** What can be wrong, or merely odd, about what comes over the wire, and what a reader has to make of it. */
export const wireCases = {
  'split UTF-8': 'text',
  CRLF: 'text',
  comments: 'text',
  'garbage line': 'text',
  'unknown event types': 'text',
  'event that is no JSON': 'no stop reason',
  'cut without stop reason': 'no stop reason',
  '429 with Retry-After': 'rate limited',
  'error after 100 deltas': 'fails after 100 deltas',
  'call without id': 'calls',
  'call without index': 'calls',
  'arguments in one piece': 'calls',
  'usage absent': 'no usage',
  'usage absurd': 'no usage',
  'abort closes the connection': 'silent after a delta',
} as const satisfies Readonly<Record<string, Scenario>>;
export type WireCase = keyof typeof wireCases;

/** Why a wire can not be like that. */
export interface DoesNotApply {
  readonly doesNotApply: string;
}
/** Ways in which it can be like that, by name. */
type Replies<Reply> = Readonly<Record<string, Reply>>;

/** An adapter, and all that its wire can do. */
export interface AdapterUnderTest<Reply> {
  readonly name: string;
  readonly cases: Readonly<Record<WireCase, Replies<Reply> | DoesNotApply>>;
  /** Replies beyond the cases. */
  readonly more: Readonly<Partial<Record<Scenario, Replies<Reply>>>>;
  /** The provider, asking somebody who answers once with the reply. */
  readonly play: (reply: Reply) => Promise<PlayedAdapter>;
}

export interface PlayedAdapter extends AsyncDisposable {
  readonly provider: ModelProvider;
  /** Whom it asks; undefined: nobody, and then no case of a connection applies. */
  readonly peer?: {
    /** Requests that came. */
    readonly asked: () => number;
    /** Resolves when the connection of the first request is closed. */
    readonly closed: () => Promise<unknown>;
  };
}

/** What every adapter owes the loop, over every reply that its wire can have. */
export function wireContract<Reply>({ name, cases, more, play }: AdapterUnderTest<Reply>): void {
  const byScenario = new Map<string, Map<string, Reply>>();
  const add = (scenario: Scenario, recording: string, reply: Reply) => {
    byScenario.set(scenario, (byScenario.get(scenario) ?? new Map<string, Reply>()).set(recording, reply));
  };
  for (const [wireCase, replies] of Object.entries(cases) as [WireCase, Replies<Reply> | DoesNotApply][]) {
    for (const [how, reply] of isDoesNotApply(replies) ? [] : Object.entries(replies)) {
      add(wireCases[wireCase], `${wireCase}: ${how}`, reply);
    }
  }
  for (const [scenario, replies] of Object.entries(more) as [Scenario, Replies<Reply>][]) {
    for (const [how, reply] of Object.entries(replies)) {
      add(scenario, how, reply);
    }
  }
  const replyOf = (scenario: Scenario, recording: string): Reply => {
    const reply = byScenario.get(scenario)?.get(recording);
    if (reply === undefined) {
      throw new RangeError(`${name} has no ${recording}`);
    }
    return reply;
  };

  modelProviderContract({
    name,
    recordings: new Proxy({} as Record<Scenario, readonly string[]>, {
      get: (_, scenario) => [...(byScenario.get(String(scenario))?.keys() ?? [])],
    }),
    play: (scenario, recording) => play(replyOf(scenario, recording)),
  });

  if (isDoesNotApply(cases['abort closes the connection'])) {
    return;
  }
  describe(`${name} on the wire`, () => {
    const recordingsOf = (scenario: Scenario) => [...(byScenario.get(scenario)?.keys() ?? [])];

    it.each(recordingsOf('silent after a delta'))(
      'closes the connection when its signal is aborted: %s',
      async (how) => {
        await using playing = await play(replyOf('silent after a delta', how));
        const stop = new AbortController();
        const parts = playing.provider.stream(request, { signal: stop.signal })[Symbol.asyncIterator]();
        await parts.next();
        await parts.next();
        stop.abort();
        await peerOf(playing).closed();
        await expect(parts.next()).rejects.toBe(stop.signal.reason);
      },
    );

    it.each(recordingsOf('silent after a delta'))('closes it when its reader stops reading: %s', async (how) => {
      await using playing = await play(replyOf('silent after a delta', how));
      for await (const part of playing.provider.stream(request, { signal: new AbortController().signal })) {
        expect(part).toEqual({ type: 'text-start' });
        break;
      }
      await peerOf(playing).closed();
    });

    it.each(
      (['rate limited', 'no stop reason'] as const).flatMap((scenario) =>
        recordingsOf(scenario).map((how) => [scenario, how] as const),
      ),
    )('does not ask again by itself: %s, %s', async (scenario, how) => {
      await using playing = await play(replyOf(scenario, how));
      await collect(playing.provider, new AbortController().signal);
      expect(peerOf(playing).asked()).toBe(1);
    });
  });
}

export function isDoesNotApply(replies: object): replies is DoesNotApply {
  return 'doesNotApply' in replies;
}

function peerOf({ peer }: PlayedAdapter): NonNullable<PlayedAdapter['peer']> {
  if (peer === undefined) {
    throw new TypeError('an adapter with a connection has a peer');
  }
  return peer;
}
