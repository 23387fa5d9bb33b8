import { expect, test } from 'vitest';
import { answerTooLongCode, answerUnusableCode, MessageLines } from './message-lines.ts';

function read(chunks: readonly (string | Buffer)[]) {
  const messages: unknown[] = [];
  let rubbish = 0;
  const lines = new MessageLines({
    onMessage: (message) => void messages.push(message),
    onRubbish: () => {
      rubbish += 1;
    },
  });
  chunks.forEach((chunk) => lines.append(Buffer.from(chunk)));
  return { messages, rubbish };
}

const long = 'x'.repeat(5 * 1024 * 1024);

test('reads messages however they are cut, and counts what is none', () => {
  const one = { jsonrpc: '2.0', method: 'notifications/a', params: { text: 'caf\u00e9' } };
  const bytes = Buffer.from(`${JSON.stringify(one)}\r\n\nhello\n[1]\n`);
  const cut = [...bytes].map((byte) => Buffer.of(byte));
  expect(read(cut)).toEqual({ messages: [one], rubbish: 2 });
});

test.each([
  ['first', `{"jsonrpc":"2.0","id":7,"result":{"text":"${long}"}}\n`],
  ['last', `{"result":{"text":"${long}"},"jsonrpc":"2.0","id":7}\n`],
])('tells whoever waits for an answer that is too long, when its id comes %s', (_, line) => {
  const error = { code: answerTooLongCode, message: 'the answer is over 4194304 bytes' };
  const next = { jsonrpc: '2.0', id: 8, result: {} };
  expect(read([line, `${JSON.stringify(next)}\n`])).toEqual({
    messages: [{ jsonrpc: '2.0', id: 7, error }, next],
    rubbish: 0,
  });
});

test('passes over what is too long and for nobody', () => {
  expect(read([long, long, '\n'])).toEqual({ messages: [], rubbish: 1 });
});

test('tells whoever waits for an answer that is no message', () => {
  const error = { code: answerUnusableCode, message: 'the answer is no message' };
  expect(read(['{"jsonrpc":"2.0","id":7,"result":"done"}\n{"id":"a","result":1}\n'])).toEqual({
    messages: [{ jsonrpc: '2.0', id: 7, error }],
    rubbish: 1,
  });
});
