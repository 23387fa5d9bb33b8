import { describe, expect, it } from 'vitest';
import { chatUsage } from './chat-usage.ts';

const estimate = {
  provider: 'openai-chat',
  model: 'm',
  inputTokens: 30n,
  outputTokens: 4n,
  cachedInputTokens: 0n,
  reasoningTokens: 0n,
  estimated: true,
};

describe('the usage of a chat', () => {
  it('is what the provider reports', () => {
    const wire = {
      prompt_tokens: 100,
      completion_tokens: 20,
      prompt_tokens_details: { cached_tokens: 64 },
      completion_tokens_details: { reasoning_tokens: 12 },
    };
    expect(chatUsage(wire, estimate)).toEqual({
      provider: 'openai-chat',
      model: 'm',
      inputTokens: 100n,
      outputTokens: 20n,
      cachedInputTokens: 64n,
      reasoningTokens: 12n,
      estimated: false,
    });
  });

  it('is the estimate when there is none', () => {
    expect(chatUsage(undefined, estimate)).toEqual(estimate);
  });

  it.each([-1, 1.5, 1e15, '100', null, Number.NaN])('has the estimate in place of %j, and says so', (absurd) => {
    const usage = chatUsage({ prompt_tokens: 100, completion_tokens: absurd }, estimate);
    expect(usage).toMatchObject({ inputTokens: 100n, outputTokens: 4n, estimated: true });
  });

  it('has no part that is larger than the whole', () => {
    const wire = {
      prompt_tokens: 10,
      completion_tokens: 20,
      prompt_tokens_details: { cached_tokens: 50 },
      completion_tokens_details: { reasoning_tokens: -3 },
    };
    expect(chatUsage(wire, estimate)).toMatchObject({ cachedInputTokens: 10n, reasoningTokens: 0n, estimated: true });
  });
});
