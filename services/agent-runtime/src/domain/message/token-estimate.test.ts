import { describe, expect, it } from 'vitest';
import { type Message, role, toolOutcome } from './message.ts';
import { estimateTokens } from './token-estimate.ts';

describe('the token estimate', () => {
  it('is a quarter of the UTF-8 bytes of all text, rounded up', () => {
    const parts: Message['parts'] = [
      { part: { case: 'text', value: { text: '€€€' } } },
      { part: { case: 'reasoning', value: { text: 'hm', providerState: new Uint8Array(3) } } },
      { part: { case: 'toolCall', value: { callId: 'not counted', tool: 'read', argumentsJson: '{}' } } },
    ];
    expect(estimateTokens({ id: 'x', role: role.assistant, runId: 'r', parts })).toBe(Math.ceil((9 + 5 + 6) / 4));
  });

  it('counts what the model is shown of a result', () => {
    const content = [{ content: { case: 'text', value: '12345' } }] as const;
    const value = { callId: 'c', outcome: toolOutcome.ok, content, structuredJson: '{"not":"shown"}', code: '' };
    const parts: Message['parts'] = [{ part: { case: 'toolResult', value } }];
    expect(estimateTokens({ id: 'x', role: role.tool, runId: 'r', parts })).toBe(2);
  });
});
