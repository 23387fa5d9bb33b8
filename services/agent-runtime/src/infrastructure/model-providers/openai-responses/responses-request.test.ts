import { describe, expect, it } from 'vitest';
import { testTool } from '../../../../tests/doubles/test-tool.ts';
import { type Message, type PartContent, role, toolOutcome } from '../../../domain/message/message.ts';
import type { ModelRequest } from '../../../domain/model/model-request.ts';
import { encodeState } from '../wire/provider-state.ts';
import { responsesRequest } from './responses-request.ts';

const message = (from: Message['role'], ...parts: readonly PartContent[]): Message => ({
  id: 'x',
  role: from,
  runId: 'r',
  parts: parts.map((part) => ({ part })),
});
const text = (value: string): PartContent => ({ case: 'text', value: { text: value } });
const item = { id: 'rs_1', type: 'reasoning', summary: [], encrypted_content: 'gAAAA==' };
const thought = (owner: string): PartContent => ({
  case: 'reasoning',
  value: { text: 'hm', providerState: encodeState(owner, item) },
});
const request = (model: string, ...messages: readonly Message[]): ModelRequest => ({
  model,
  instructions: 'Be brief.',
  tools: [testTool({ description: 'Reads.' })],
  messages,
  maxOutputTokens: 100,
});

describe('a request for a response', () => {
  it('has the dialogue with its reasoning as it came, and stores nothing', () => {
    const result = {
      callId: 'c0',
      outcome: toolOutcome.ok,
      content: [{ content: { case: 'text' as const, value: 'one' } }],
      structuredJson: '',
      code: '',
    };
    const dialogue = [
      message(role.user, text('hello')),
      message(role.assistant, thought('openai-responses'), text('I look.'), {
        case: 'toolCall',
        value: { callId: 'c0', tool: 'read it', argumentsJson: '{"a":' },
      }),
      message(role.tool, { case: 'toolResult', value: result }),
    ];
    expect(responsesRequest(request('gpt-5-mini', ...dialogue), 'openai-responses', true)).toEqual({
      model: 'gpt-5-mini',
      instructions: 'Be brief.',
      input: [
        { role: 'user', content: 'hello' },
        item,
        { role: 'assistant', content: 'I look.' },
        { type: 'function_call', call_id: 'c0', name: 'read_it', arguments: '{"invalid_arguments":"{\\"a\\":"}' },
        { type: 'function_call_output', call_id: 'c0', output: 'one' },
      ],
      stream: true,
      store: false,
      max_output_tokens: 100,
      include: ['reasoning.encrypted_content'],
      reasoning: { summary: 'auto' },
      tools: [{ type: 'function', name: 'read', description: 'Reads.', parameters: { type: 'object' }, strict: false }],
    });
  });

  it('leaves out what another provider reasoned', () => {
    const dialogue = [message(role.user, text('a')), message(role.assistant, thought('google'), text('b'))];
    expect(responsesRequest(request('gpt-5-mini', ...dialogue), 'openai-responses', true).input).toEqual([
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b' },
    ]);
  });

  it('asks only models that reason for reasoning, and for summaries only when it may', () => {
    const asked = (model: string, asksForSummaries: boolean) => {
      const params = responsesRequest(request(model), 'openai-responses', asksForSummaries);
      return [params.include, params.reasoning];
    };
    const encrypted = ['reasoning.encrypted_content'];
    expect(asked('gpt-4.1', true)).toEqual([undefined, undefined]);
    expect(asked('gpt-5', false)).toEqual([encrypted, undefined]);
    expect(asked('a-new-model', true)).toEqual([encrypted, undefined]);
  });
});
