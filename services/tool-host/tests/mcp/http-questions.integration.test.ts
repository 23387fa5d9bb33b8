import { afterEach, describe, expect, test } from 'vitest';
import { text } from './http-server.ts';
import { Worlds } from './http-world.ts';
import { answerTo } from './mcp-bench.ts';

const worlds = new Worlds();

afterEach(() => worlds.endAll());

describe('a server of 2026-07-28 that asks', () => {
  const form = (message: string) => ({
    method: 'elicitation/create',
    params: {
      mode: 'form',
      message,
      requestedSchema: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
    },
  });

  test('gets the answers of the user with its state, word for word', async () => {
    const state = `st\u00e4te ${'x'.repeat(1000)}`;
    const { server, bench } = await worlds.make({
      call: ({ message }) =>
        message.params?.inputResponses === undefined
          ? {
              resultType: 'input_required',
              inputRequests: { one: form('First?'), two: form('Second?') },
              requestState: state,
            }
          : text(`told: ${JSON.stringify(message.params.inputResponses)}`),
    });
    await bench.listed();
    const callId = bench.newId();
    const asked = await bench.last('web__echo', {}, { callId });
    expect(asked).toMatchObject({
      interrupt: { kind: 'question', message: 'The server "web" asks:\n\nFirst?\n\nSecond?' },
    });
    const answer = answerTo(asked, { action: 'accept', content: { one: { name: 'Ann' }, two: { name: 'Bob' } } });
    const accepted = (name: string) => ({ action: 'accept', content: { name } });
    expect(await bench.told('web__echo', {}, { callId, answer })).toBe(
      `ok: told: ${JSON.stringify({ one: accepted('Ann'), two: accepted('Bob') })}`,
    );
    expect(server.calls().map(({ message }) => message.params?.requestState)).toEqual([undefined, state]);
  });

  test('is asked again at once when it wants that only', async () => {
    const { server, bench } = await worlds.make({
      call: ({ message }) =>
        message.params?.requestState === 'three'
          ? text('done')
          : { resultType: 'input_required', requestState: message.params?.requestState === 'two' ? 'three' : 'two' },
    });
    await bench.listed();
    expect(await bench.told('web__echo')).toBe('ok: done');
    expect(server.calls()).toHaveLength(3);
  });

  test.each([
    ['for ever', { resultType: 'input_required', requestState: 'again' }, 'the same again and again'],
    [
      'for a model',
      {
        resultType: 'input_required',
        inputRequests: { a: { method: 'sampling/createMessage', params: { messages: [], maxTokens: 1 } } },
      },
      'sampling/createMessage',
    ],
    ['for folders', { resultType: 'input_required', inputRequests: { a: { method: 'roots/list' } } }, 'roots/list'],
    [
      'for a visit',
      {
        resultType: 'input_required',
        inputRequests: {
          a: {
            method: 'elicitation/create',
            params: { mode: 'url', message: 'm', url: 'https://evil.example/', elicitationId: 'e' },
          },
        },
      },
      'something else than a form',
    ],
    [
      'too much at once',
      {
        resultType: 'input_required',
        inputRequests: Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`k${index}`, form('?')])),
      },
      '50 forms at once',
    ],
    [
      'for a state of 1 MB to be kept',
      { resultType: 'input_required', requestState: 'x'.repeat(1024 * 1024) },
      'a state that is too large',
    ],
  ])('%s is not answered', async (_, asks, told) => {
    const { bench } = await worlds.make({ call: () => asks });
    await bench.listed();
    const last = await bench.last('web__echo');
    expect(last).toMatchObject({
      result: { outcome: 'error', code: 'TOOL_FAILED', text: expect.stringContaining(told) },
    });
  });
});
