import { describe, expect, it } from 'vitest';
import { userMessage } from '../../../../tests/doubles/run-world.ts';
import { testTool } from '../../../../tests/doubles/test-tool.ts';
import { collect, modelProviderContract, request, type Scenario } from '../../../../tests/model-provider.contract.ts';
import { modelRateLimited, modelRejected, modelUnavailable } from '../../../domain/model/model-errors.ts';
import { calls, finish, reasoning, type ScriptedAnswer, says, text } from './script.ts';
import { ScriptedModelProvider } from './scripted-model-provider.ts';

const asked = [
  { tool: 'read', argumentsJson: ['{"path":', '"/library/ä.txt"}'] },
  { tool: 'grep', argumentsJson: '{"pattern":"x"}' },
];
const greeting = text('Grü', 'ße, ', ' 😀', '.');
const answers: Readonly<Record<Scenario, ScriptedAnswer>> = {
  text: { steps: [...greeting, ...finish('stop', { inputTokens: 812n, outputTokens: 64n, cachedInputTokens: 512n })] },
  reasoning: { steps: [...reasoning('They greet', ' me.'), ...text('Hello.'), ...finish('stop')] },
  calls: { steps: [...calls(...asked), ...finish('tool-calls')] },
  length: { steps: [...text('And th'), ...finish('length')] },
  'content-filter': { steps: [...text('And th'), ...finish('content-filter')] },
  'no stop reason': { steps: greeting.slice(0, 3) },
  'no usage': { steps: [...greeting, ...finish('stop', { estimated: true })] },
  'rate limited': { steps: [{ type: 'fail', error: modelRateLimited(2000) }] },
  rejected: { steps: [{ type: 'fail', error: modelRejected('no such model') }] },
  'fails after 100 deltas': {
    steps: [
      ...text(...Array.from({ length: 100 }, () => 'x')).slice(0, 101),
      { type: 'fail', error: modelUnavailable('it said so') },
    ],
  },
  'silent after a delta': { steps: [...text('a').slice(0, 2), { type: 'pause', until: new Promise(() => undefined) }] },
};

modelProviderContract({
  name: 'scripted',
  recordings: Object.fromEntries(
    Object.keys(answers).map((scenario) => [scenario, ['written']]),
  ) as unknown as Readonly<Record<Scenario, readonly string[]>>,
  play: async (scenario) => ({
    provider: new ScriptedModelProvider([answers[scenario]]),
    async [Symbol.asyncDispose]() {},
  }),
});

describe('a script', () => {
  const ask = (provider: ScriptedModelProvider, asked = request) =>
    collect(provider, new AbortController().signal, asked);
  const problem = (what: string) => ({
    reason: 'INTERNAL',
    message: `The scripted model did not expect this request: ${what}.`,
  });

  it('is played answer by answer, and remembers what was asked', async () => {
    const provider = new ScriptedModelProvider([says('one'), says('two')]);
    expect(provider.remaining).toBe(2);
    expect((await ask(provider)).parts[1]).toEqual({ type: 'text-delta', text: 'one' });
    expect((await ask(provider)).parts[1]).toEqual({ type: 'text-delta', text: 'two' });
    expect(provider.remaining).toBe(0);
    expect(provider.requests).toEqual([request, request]);
  });

  it('fails loudly on a request that it has no answer for', async () => {
    expect((await ask(new ScriptedModelProvider([]))).error).toMatchObject(problem('the script has no answer left'));
  });

  it('fails loudly on a request that is not the expected one', async () => {
    const expects = ({ messages }: typeof request) => (messages.length === 2 ? undefined : 'it has one message');
    const provider = new ScriptedModelProvider([{ ...says('one'), expects }]);
    expect((await ask(provider)).error).toMatchObject(problem('it has one message'));
  });

  it('fails on a dialogue that a provider would refuse', async () => {
    const { error } = await ask(new ScriptedModelProvider([says('one')]), { ...request, messages: [userMessage('')] });
    expect(error).toMatchObject({ reason: 'CONTEXT_INVALID' });
  });

  it('fails on tools that are not sorted, which would cost a provider’s prompt cache', async () => {
    const tool = (name: string) => testTool({ name });
    const { error } = await ask(new ScriptedModelProvider([says('one')]), {
      ...request,
      tools: [tool('b'), tool('a')],
    });
    expect(error).toMatchObject(problem('the tools are not sorted by name'));
  });
});
