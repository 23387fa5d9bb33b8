import { describe, expect, it } from 'vitest';
import type { ModelPart } from '../src/domain/model/model-part.ts';
import { OpenAiResponsesProvider } from '../src/infrastructure/model-providers/openai-responses/openai-responses-provider.ts';
import { type ModelReply, startModelServer } from './doubles/model-server.ts';
import { collect } from './model-provider.contract.ts';
import { recordingsIn } from './wire/replies.ts';

const { signal } = new AbortController();
const { text, whole } = recordingsIn('openai-responses/');
const textIn = (parts: readonly ModelPart[], type: ModelPart['type']) =>
  parts.flatMap((part) => (part.type === type && 'text' in part ? [part.text] : [])).join('');

/** Asks a provider whose server gives these replies, once for each. */
async function askEach(...replies: readonly ModelReply[]) {
  await using server = await startModelServer(...replies);
  const provider = new OpenAiResponsesProvider({ baseUrl: server.url, apiKey: 'sk-test', asksForSummaries: true });
  const answers: Awaited<ReturnType<typeof collect>>[] = [];
  while (answers.length < replies.length) {
    answers.push(await collect(provider, signal));
  }
  return { answers, calls: server.calls };
}

describe('openai-responses', () => {
  it('asks with its key for a stream of which the server keeps nothing', async () => {
    const { calls } = await askEach(whole('text'));
    expect(calls).toMatchObject([
      {
        path: '/v1/responses',
        headers: { authorization: 'Bearer sk-test' },
        body: { model: 'test-model', stream: true, store: false, max_output_tokens: 100 },
      },
    ]);
  });

  it('tells several summaries apart', async () => {
    const { answers } = await askEach(whole('reasoning-two-summaries'));
    expect(answers.map(({ parts }) => textIn(parts, 'reasoning-delta'))).toEqual(['One.\n\nTwo.']);
  });

  it('counts the tokens of reasoning', async () => {
    const { answers } = await askEach(whole('reasoning'));
    expect(answers[0]?.parts.at(-2)).toMatchObject({ usage: { outputTokens: 40n, reasoningTokens: 32n } });
  });

  it('takes a refusal for text', async () => {
    const { answers } = await askEach(whole('refusal'));
    expect(answers.map(({ parts }) => textIn(parts, 'text-delta'))).toEqual(['I can not do that.']);
    expect(answers[0]?.parts.at(-1)).toEqual({ type: 'finish', reason: 'stop', raw: 'completed' });
  });

  it('takes a text that comes whole', async () => {
    const withoutDeltas = text('text').replaceAll(/event: response\.output_text\.delta\n.*\n\n/g, '');
    const { answers } = await askEach({ body: [withoutDeltas] });
    expect(answers.map(({ parts }) => textIn(parts, 'text-delta'))).toEqual(['Grüße,  😀.']);
  });

  it('tells a limit and a refusal from a failure when a response fails', async () => {
    const { answers } = await askEach(whole('failed-rate-limit'), whole('failed-invalid-prompt'));
    expect(answers.map(({ error }) => error)).toMatchObject([
      { reason: 'MODEL_RATE_LIMITED' },
      { reason: 'MODEL_REJECTED', message: expect.stringContaining('Invalid prompt.') },
    ]);
  });
});
