import { describe, expect, it } from 'vitest';
import { testTool } from '../../../../tests/doubles/test-tool.ts';
import { type Message, type PartContent, role, toolOutcome } from '../../../domain/message/message.ts';
import type { ModelRequest } from '../../../domain/model/model-request.ts';
import { aiSdkRequest } from './ai-sdk-request.ts';
import { type KeptMetadata, keepMetadata } from './ai-sdk-state.ts';

const message = (from: Message['role'], ...parts: readonly PartContent[]): Message => ({
  id: 'x',
  role: from,
  runId: 'r',
  parts: parts.map((part) => ({ part })),
});
const text = (value: string): PartContent => ({ case: 'text', value: { text: value } });
const call = (callId: string): PartContent => ({
  case: 'toolCall',
  value: { callId, tool: 'read', argumentsJson: '{"a":1}' },
});
const kept = (metadata: KeptMetadata, thought = '', model = 'm'): PartContent => ({
  case: 'reasoning',
  value: { text: thought, providerState: keepMetadata('ai-sdk', model, metadata) },
});
const metadataOf = (sign: string) => ({ vendor: { sign } });
const { signal } = new AbortController();
const request = (...messages: readonly Message[]): ModelRequest => ({
  model: 'm',
  instructions: 'Be brief.',
  tools: [testTool({ description: 'Reads.' })],
  messages,
  maxOutputTokens: 100,
});

describe('a request to a model of the AI SDK', () => {
  it('has the metadata of each part as its options', () => {
    const result: PartContent = {
      case: 'toolResult',
      value: {
        callId: 'c1',
        outcome: toolOutcome.error,
        content: [{ content: { case: 'text', value: 'seen' } }],
        structuredJson: '',
        code: '',
      },
    };
    const said = message(
      role.assistant,
      kept({ on: 'reasoning', metadata: metadataOf('1') }, 'hm'),
      text('Looking.'),
      kept({ on: 'text', metadata: metadataOf('2') }),
      call('c0'),
      call('c1'),
      kept({ on: 'call', place: 0, metadata: metadataOf('3') }),
    );
    const dialogue = [message(role.user, text('hello')), said, message(role.tool, result)];
    expect(aiSdkRequest(request(...dialogue), 'ai-sdk', signal)).toEqual({
      prompt: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: [{ type: 'text', text: 'hello' }] },
        {
          role: 'assistant',
          content: [
            { type: 'reasoning', text: 'hm', providerOptions: metadataOf('1') },
            { type: 'text', text: 'Looking.', providerOptions: metadataOf('2') },
            {
              type: 'tool-call',
              toolCallId: 'c0',
              toolName: 'read',
              input: { a: 1 },
              providerOptions: metadataOf('3'),
            },
            { type: 'tool-call', toolCallId: 'c1', toolName: 'read', input: { a: 1 } },
          ],
        },
        {
          role: 'tool',
          content: [
            { type: 'tool-result', toolCallId: 'c1', toolName: 'read', output: { type: 'error-text', value: 'seen' } },
          ],
        },
      ],
      maxOutputTokens: 100,
      abortSignal: signal,
      tools: [{ type: 'function', name: 'read', description: 'Reads.', inputSchema: { type: 'object' } }],
      toolChoice: { type: 'auto' },
    });
  });

  it('leaves out what another model reasoned', () => {
    const other = kept({ on: 'reasoning', metadata: metadataOf('1') }, 'hm', 'other');
    const dialogue = [message(role.user, text('a')), message(role.assistant, other)];
    expect(aiSdkRequest(request(...dialogue), 'ai-sdk', signal).prompt).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: [{ type: 'text', text: 'a' }] },
    ]);
  });
});
