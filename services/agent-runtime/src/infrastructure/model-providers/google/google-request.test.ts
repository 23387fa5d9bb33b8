import { describe, expect, it } from 'vitest';
import { testTool } from '../../../../tests/doubles/test-tool.ts';
import { type Message, type PartContent, role, toolOutcome } from '../../../domain/message/message.ts';
import type { ModelRequest } from '../../../domain/model/model-request.ts';
import { googleRequest } from './google-request.ts';
import { keepSignature, type ThoughtSignature } from './thought-signature.ts';

const message = (from: Message['role'], ...parts: readonly PartContent[]): Message => ({
  id: 'x',
  role: from,
  runId: 'r',
  parts: parts.map((part) => ({ part })),
});
const text = (value: string): PartContent => ({ case: 'text', value: { text: value } });
const call = (callId: string, tool = 'read'): PartContent => ({
  case: 'toolCall',
  value: { callId, tool, argumentsJson: '{"a":1}' },
});
const result = (callId: string, outcome: 1 | 2): PartContent => ({
  case: 'toolResult',
  value: {
    callId,
    outcome,
    content: [{ content: { case: 'text', value: 'seen' } }],
    structuredJson: '',
    code: '',
  },
});
const signed = (on: ThoughtSignature['on'], signature: string, thought = '', owner = 'google'): PartContent => ({
  case: 'reasoning',
  value: { text: thought, providerState: keepSignature(owner, { on, signature }) },
});
const request = (model: string, ...messages: readonly Message[]): ModelRequest => ({
  model,
  instructions: 'Be brief.',
  tools: [testTool({ description: 'Reads.' })],
  messages,
  maxOutputTokens: 100,
});
const functionCall = (id: string, name = 'read') => ({ id, name, args: { a: 1 } });
const contentsOf = (model: string, ...messages: readonly Message[]) =>
  googleRequest(request(model, ...messages), 'google', true).contents;

describe('a request to google', () => {
  it('has each signature on the part that it came on', () => {
    const dialogue = [
      message(role.user, text('hello')),
      message(
        role.assistant,
        signed('thought', 's1', 'I look.'),
        text('Looking.'),
        signed('text', 's2'),
        signed('call', 's3'),
        call('c0'),
        call('c1'),
        signed('empty-text', 's4'),
      ),
      message(role.tool, result('c0', toolOutcome.ok), result('c1', toolOutcome.error)),
    ];
    expect(googleRequest(request('gemini-2.5-flash', ...dialogue), 'google', true)).toEqual({
      model: 'gemini-2.5-flash',
      contents: [
        { role: 'user', parts: [{ text: 'hello' }] },
        {
          role: 'model',
          parts: [
            { text: 'I look.', thought: true, thoughtSignature: 's1' },
            { text: 'Looking.', thoughtSignature: 's2' },
            { functionCall: functionCall('c0'), thoughtSignature: 's3' },
            { functionCall: functionCall('c1') },
            { text: '', thoughtSignature: 's4' },
          ],
        },
        {
          role: 'user',
          parts: [
            { functionResponse: { id: 'c0', name: 'read', response: { output: 'seen' } } },
            { functionResponse: { id: 'c1', name: 'read', response: { error: 'seen' } } },
          ],
        },
      ],
      config: {
        systemInstruction: 'Be brief.',
        maxOutputTokens: 100,
        automaticContinuation: false,
        automaticFunctionCalling: { disable: true },
        thinkingConfig: { includeThoughts: true },
        tools: [
          { functionDeclarations: [{ name: 'read', description: 'Reads.', parametersJsonSchema: { type: 'object' } }] },
        ],
      },
    });
  });

  it('tells Gemini 3 of a call without a signature, such as one of another model', () => {
    const dialogue = [
      message(role.user, text('a')),
      message(role.assistant, signed('call', 's', '', 'other'), call('c0'), call('c1')),
    ];
    const instead = { functionCall: functionCall('c0'), thoughtSignature: 'skip_thought_signature_validator' };
    expect(contentsOf('gemini-3-pro', ...dialogue)).toMatchObject([
      {},
      { parts: [instead, { functionCall: functionCall('c1') }] },
    ]);
    expect(contentsOf('gemini-2.5-pro', ...dialogue)).toEqual([
      { role: 'user', parts: [{ text: 'a' }] },
      { role: 'model', parts: [{ functionCall: functionCall('c0') }, { functionCall: functionCall('c1') }] },
    ]);
  });

  it('leaves out thoughts without a signature, and messages that are nothing else', () => {
    const thought: PartContent = { case: 'reasoning', value: { text: 'hm', providerState: new Uint8Array() } };
    const dialogue = [message(role.user, text('a')), message(role.assistant, thought)];
    expect(contentsOf('gemini-3-pro', ...dialogue)).toEqual([{ role: 'user', parts: [{ text: 'a' }] }]);
  });

  it('does not ask models for thoughts that have none, or when they are not wanted', () => {
    expect(googleRequest(request('gemini-2.0-flash'), 'google', true).config).not.toHaveProperty('thinkingConfig');
    expect(googleRequest(request('gemini-3-pro'), 'google', false).config).not.toHaveProperty('thinkingConfig');
  });
});
