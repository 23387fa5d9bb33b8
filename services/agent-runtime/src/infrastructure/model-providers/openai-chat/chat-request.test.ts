import { describe, expect, it } from 'vitest';
import { testTool } from '../../../../tests/doubles/test-tool.ts';
import { type Message, role, toolOutcome } from '../../../domain/message/message.ts';
import type { ModelRequest } from '../../../domain/model/model-request.ts';
import { chatRequest } from './chat-request.ts';

const text = (from: Message['role'], value: string): Message => ({
  id: 'x',
  role: from,
  runId: 'r',
  parts: [{ part: { case: 'text', value: { text: value } } }],
});
const calls = (...asked: readonly (readonly [callId: string, tool: string, argumentsJson: string])[]): Message => ({
  id: 'x',
  role: role.assistant,
  runId: 'r',
  parts: asked.map(([callId, tool, argumentsJson]) => ({
    part: { case: 'toolCall', value: { callId, tool, argumentsJson } },
  })),
});
const request = (...messages: readonly Message[]): ModelRequest => ({
  model: 'm',
  instructions: 'Be brief.',
  tools: [],
  messages,
  maxOutputTokens: 100,
});

describe('a chat request', () => {
  it('has instructions, dialogue, tools and limits', () => {
    const results: Message = {
      id: 'x',
      role: role.tool,
      runId: 'r',
      parts: ['one', 'two'].map((value, index) => ({
        part: {
          case: 'toolResult',
          value: {
            callId: `c${index}`,
            outcome: toolOutcome.ok,
            content: [{ content: { case: 'text', value } }],
            structuredJson: '',
            code: '',
          },
        },
      })),
    };
    const dialogue = [
      text(role.user, 'hello'),
      calls(['c0', 'read', '{"path":"/a"}'], ['c1', 'read', '{}']),
      results,
      text(role.assistant, 'done'),
    ];
    const inputSchema = { type: 'object', properties: { path: { type: 'string' } } };
    const tools = [testTool({ description: 'Reads.', inputSchema })];
    expect(chatRequest({ ...request(...dialogue), tools }, false)).toEqual({
      model: 'm',
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 100,
      tools: [{ type: 'function', function: { name: 'read', description: 'Reads.', parameters: inputSchema } }],
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'hello' },
        {
          role: 'assistant',
          content: null,
          tool_calls: [
            { id: 'c0', type: 'function', function: { name: 'read', arguments: '{"path":"/a"}' } },
            { id: 'c1', type: 'function', function: { name: 'read', arguments: '{}' } },
          ],
        },
        { role: 'tool', tool_call_id: 'c0', content: 'one' },
        { role: 'tool', tool_call_id: 'c1', content: 'two' },
        { role: 'assistant', content: 'done' },
      ],
    });
  });

  it('names the limit of the answer as OpenAI wants it, for OpenAI', () => {
    const params = chatRequest(request(text(role.user, 'hello')), true);
    expect(params).toMatchObject({ max_completion_tokens: 100 });
    expect(params).not.toHaveProperty('max_tokens');
    expect(params).not.toHaveProperty('tools');
  });

  it('joins user messages in a row, because some servers insist on alternating roles', () => {
    const { messages } = chatRequest(request(text(role.user, 'a'), text(role.user, 'b'), text(role.user, 'c')), false);
    expect(messages.slice(1)).toEqual([{ role: 'user', content: 'a\n\nb\n\nc' }]);
  });

  it('sends what the model got wrong in a form that servers take', () => {
    const broken = calls(['c0', 'no such tool!', '{"a":'], ['c1', '', ''], ['c2', 'read', '[1]']);
    const { messages } = chatRequest(request(text(role.user, 'a'), broken), false);
    expect(messages[2]).toMatchObject({
      tool_calls: [
        { function: { name: 'no_such_tool_', arguments: '{"invalid_arguments":"{\\"a\\":"}' } },
        { function: { name: 'unnamed', arguments: '{"invalid_arguments":""}' } },
        { function: { name: 'read', arguments: '{"invalid_arguments":"[1]"}' } },
      ],
    });
  });

  it('leaves out reasoning, and messages that are nothing else', () => {
    const thought = { part: { case: 'reasoning', value: { text: 'hm', providerState: new Uint8Array() } } } as const;
    const only: Message = { id: 'x', role: role.assistant, runId: 'r', parts: [thought] };
    const both: Message = { ...only, parts: [thought, ...text(role.assistant, 'yes').parts] };
    const { messages } = chatRequest(request(text(role.user, 'a'), only, both), false);
    expect(messages.slice(2)).toEqual([{ role: 'assistant', content: 'yes' }]);
  });
});
