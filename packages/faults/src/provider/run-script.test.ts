import { describe, expect, test } from 'vitest';
import { readChatRequest } from './chat-request.ts';
import { marksOf, parseScript, turnText } from './run-script.ts';

const script = { id: 'script-1', turns: [{ text: 10 }] };

describe('a script', () => {
  test('has the same text each time, another one in another turn', () => {
    expect(turnText('script-1', 0, 30)).toBe(turnText('script-1', 0, 30));
    expect(turnText('script-1', 0, 30)).not.toBe(turnText('script-1', 1, 30));
    expect(Array.from(turnText('script-1', 0, 30))).toHaveLength(30);
  });

  test('is found behind those of runs that were cancelled before they said anything', () => {
    const texts = [JSON.stringify({ id: 'old', turns: [] }), JSON.stringify(script)];
    expect(parseScript(texts.join('\n\n'))).toEqual(script);
    expect(parseScript('hello')).toBeUndefined();
  });

  test('goes on with the turn after the last answer since its user message', () => {
    const messages = [
      { role: 'user', content: JSON.stringify(script) },
      { role: 'assistant', content: 'a', tool_calls: [{ id: 'x' }] },
      { role: 'tool', tool_call_id: 'x', content: '' },
    ];
    const heard = ['ript-1'];
    expect(readChatRequest(JSON.stringify({ messages }))).toEqual({ script, turn: 1, faults: [], heard });
  });

  test('leaves its mark in what its user asks and its model says', () => {
    const [asked, other] = ['script-1-0a1b2c', 'script-2-3d4e5f'].map((id) => JSON.stringify({ id, turns: [] }));
    expect(marksOf(`${asked}\n\n${other}`)).toEqual(['0a1b2c', '3d4e5f']);
    expect(marksOf(turnText('script-1-0a1b2c', 2, 40))).toEqual(['0a1b2c']);
    expect(marksOf('hello')).toEqual([]);
  });
});
