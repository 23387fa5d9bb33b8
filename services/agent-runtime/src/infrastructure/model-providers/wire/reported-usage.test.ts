import { describe, expect, it } from 'vitest';
import { reportedUsage } from './reported-usage.ts';

const estimate = {
  provider: 'openai-chat',
  model: 'm',
  inputTokens: 30n,
  outputTokens: 4n,
  cachedInputTokens: 0n,
  reasoningTokens: 0n,
  estimated: true,
};

describe('reported usage', () => {
  it('is what the provider reports', () => {
    expect(reportedUsage({ input: 100, output: 20, cached: 64, reasoning: 12 }, estimate)).toEqual({
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
    expect(reportedUsage(undefined, estimate)).toEqual(estimate);
  });

  it.each([-1, 1.5, 1e15, '100', null, Number.NaN])('has the estimate in place of %j, and says so', (absurd) => {
    const usage = reportedUsage({ input: 100, output: absurd, cached: undefined, reasoning: undefined }, estimate);
    expect(usage).toMatchObject({ inputTokens: 100n, outputTokens: 4n, estimated: true });
  });

  it('has no part that is larger than the whole', () => {
    const usage = reportedUsage({ input: 10, output: 20, cached: 50, reasoning: -3 }, estimate);
    expect(usage).toMatchObject({ cachedInputTokens: 10n, reasoningTokens: 0n, estimated: true });
  });
});
