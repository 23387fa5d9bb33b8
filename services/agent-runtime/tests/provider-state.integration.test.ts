import { describe, expect, it } from 'vitest';
import { type Message, type PartContent, role, toolOutcome } from '../src/domain/message/message.ts';
import type { ModelPart } from '../src/domain/model/model-part.ts';
import type { ModelProvider } from '../src/domain/model/model-provider.ts';
import { AiSdkProvider } from '../src/infrastructure/model-providers/ai-sdk/ai-sdk-provider.ts';
import { GoogleProvider } from '../src/infrastructure/model-providers/google/google-provider.ts';
import { OpenAiResponsesProvider } from '../src/infrastructure/model-providers/openai-responses/openai-responses-provider.ts';
import { startModelServer } from './doubles/model-server.ts';
import { userMessage } from './doubles/run-world.ts';
import { testTool } from './doubles/test-tool.ts';
import { collect, request } from './model-provider.contract.ts';
import { recordingsIn } from './wire/replies.ts';
import { block, call, finishOf, WrittenLanguageModel } from './wire/written-parts.ts';

const { signal } = new AbortController();

/** The message that the loop makes of an answer, with its calls under our ids, and the results of its calls. */
function dialogueAfter(parts: readonly ModelPart[]): readonly Message[] {
  const contents: PartContent[] = [];
  let said = '';
  for (const part of parts) {
    if (part.type === 'text-delta' || part.type === 'reasoning-delta') {
      said += part.text;
    } else if (part.type === 'text-end') {
      contents.push({ case: 'text', value: { text: said } });
    } else if (part.type === 'reasoning-end') {
      contents.push({
        case: 'reasoning',
        value: { text: said, providerState: part.providerState ?? new Uint8Array() },
      });
    } else if (part.type === 'tool-call-start') {
      const whole = parts.find((other) => other.type === 'tool-call-end' && other.id === part.id);
      const argumentsJson = whole?.type === 'tool-call-end' ? whole.argumentsJson : '';
      contents.push({ case: 'toolCall', value: { callId: `our-${part.id}`, tool: part.name, argumentsJson } });
    }
    said = part.type.endsWith('-delta') ? said : '';
  }
  const results = contents.flatMap((part): PartContent[] =>
    part.case === 'toolCall'
      ? [
          {
            case: 'toolResult',
            value: {
              callId: part.value.callId,
              outcome: toolOutcome.ok,
              content: [{ content: { case: 'text', value: 'seen' } }],
              structuredJson: '',
              code: '',
            },
          },
        ]
      : [],
  );
  const messageOf = (from: Message['role'], made: readonly PartContent[]): Message => ({
    id: 'x',
    role: from,
    runId: 'r',
    parts: made.map((part) => ({ part })),
  });
  return [
    userMessage('hello'),
    messageOf(role.assistant, contents),
    results.length === 0 ? userMessage('go on') : messageOf(role.tool, results),
  ];
}

/** Asks, goes on with what was answered, and returns both answers. */
async function askTwice(provider: ModelProvider, model: string) {
  const first = await collect(provider, signal, { ...request, model, tools: [testTool()] });
  expect(first.error).toBeUndefined();
  await collect(provider, signal, { ...request, model, messages: dialogueAfter(first.parts) });
  return first.parts;
}

describe('what a provider wants back', () => {
  it('goes back to the responses API as it came and in order', async () => {
    const { whole } = recordingsIn('openai-responses/');
    await using server = await startModelServer(whole('reasoning-hidden'), whole('text'));
    const provider = new OpenAiResponsesProvider({ baseUrl: server.url, apiKey: undefined, asksForSummaries: true });
    await askTwice(provider, 'gpt-5-mini');
    expect(server.calls[1]?.body).toMatchObject({
      store: false,
      input: [
        { role: 'user', content: 'hello' },
        { id: 'rs_0', type: 'reasoning', summary: [], encrypted_content: 'gAAAAABo-opaque==' },
        { type: 'function_call', call_id: 'our-call-1', name: 'read', arguments: '{}' },
        { type: 'function_call_output', call_id: 'our-call-1', output: 'seen' },
      ],
    });
    expect(server.calls[1]?.path).toBe('/v1/responses');
    expect(server.calls[1]?.body).not.toHaveProperty('previous_response_id');
  });

  it('goes back to google on the parts that it came on', async () => {
    const { whole } = recordingsIn('google/');
    await using server = await startModelServer(whole('thinking-with-calls'), whole('text'));
    const provider = new GoogleProvider({
      baseUrl: new URL(server.url).origin,
      apiKey: 'AIza-test',
      asksForThoughts: true,
    });
    const parts = await askTwice(provider, 'gemini-3-pro');
    expect(parts.at(-1)).toEqual({ type: 'finish', reason: 'tool-calls', raw: 'STOP' });
    expect(parts.at(-2)).toMatchObject({ usage: { inputTokens: 100n, outputTokens: 40n, reasoningTokens: 32n } });
    expect(server.calls).toMatchObject([
      {
        path: '/v1beta/models/gemini-3-pro:streamGenerateContent?alt=sse',
        headers: { 'x-goog-api-key': 'AIza-test' },
        body: {
          systemInstruction: { parts: [{ text: 'Be brief.' }] },
          generationConfig: { maxOutputTokens: 100, thinkingConfig: { includeThoughts: true } },
          tools: [{ functionDeclarations: [{ name: 'read', parametersJsonSchema: { type: 'object' } }] }],
        },
      },
      {},
    ]);
    const calls = [
      {
        functionCall: { id: 'our-call-1', name: 'read', args: { path: '/library/ä.txt' } },
        thoughtSignature: 'c2lnLWNhbGw=',
      },
      { functionCall: { id: 'our-call-2', name: 'grep', args: { pattern: 'x' } } },
    ];
    expect(server.calls[1]?.body['contents']).toEqual([
      { role: 'user', parts: [{ text: 'hello' }] },
      { role: 'model', parts: [...calls, { text: '', thoughtSignature: 'c2lnLXRleHQ=' }] },
      {
        role: 'user',
        parts: ['read', 'grep'].map((name, index) => ({
          functionResponse: { id: `our-call-${index + 1}`, name, response: { output: 'seen' } },
        })),
      },
    ]);
  });

  it('goes back to a model of the AI SDK on the parts that it came on', async () => {
    const signed = (sign: string) => ({ vendor: { sign } });
    const [start, delta] = block('reasoning', 'hm');
    const [begun, input, , whole] = call('a', 'read', '{}');
    const parts = [start, delta, { type: 'reasoning-delta', id: '0', delta: '', providerMetadata: signed('1') }];
    const called = [begun, input, ...call('b', 'grep', '{}'), { ...whole, providerMetadata: signed('2') }];
    const model = new WrittenLanguageModel({
      parts: [...parts, { type: 'reasoning-end', id: '0' }, ...called, finishOf('tool-calls')] as never,
    });
    await askTwice(new AiSdkProvider({ models: new Map([['m', model]]) }), 'm');
    expect(model.calls[1]?.prompt[2]).toEqual({
      role: 'assistant',
      content: [
        { type: 'reasoning', text: 'hm', providerOptions: signed('1') },
        { type: 'tool-call', toolCallId: 'our-call-1', toolName: 'read', input: {}, providerOptions: signed('2') },
        { type: 'tool-call', toolCallId: 'our-call-2', toolName: 'grep', input: {} },
      ],
    });
  });

  it('names the models that there are when one is asked for that is not', async () => {
    const model = new WrittenLanguageModel({ parts: [] });
    const { error } = await collect(new AiSdkProvider({ models: new Map([['small', model]]) }), signal);
    expect(error).toMatchObject({ reason: 'MODEL_REJECTED', message: expect.stringContaining('small') });
  });
});
