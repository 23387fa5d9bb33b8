import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { beginEvents, echoTool, type Handler, send, text } from './http-server.ts';
import { echo, Worlds } from './http-world.ts';
import { until } from './mcp-bench.ts';

const worlds = new Worlds();

afterEach(() => worlds.endAll());

describe.each([false, true])('a server of %s', (isLegacy) => {
  test('is asked in its own revision', async () => {
    const { server, bench } = await worlds.make({ isLegacy, call: echo });
    await bench.listed();
    expect(await bench.told('web__echo', { a: 1 })).toBe('ok: echo: {"a":1}');
    const [call] = server.calls();
    expect(call?.headers['mcp-protocol-version']).toBe(isLegacy ? '2025-11-25' : '2026-07-28');
    expect(call?.headers['mcp-method']).toBe(isLegacy ? undefined : 'tools/call');
    expect(call?.message.params?._meta?.traceparent).toMatch(/^00-1{32}-[0-9a-f]{16}-01$/);
    expect(call?.headers.authorization).toBeUndefined();
  });

  test('tells progress in its stream, and then its answer', async () => {
    const { bench } = await worlds.make({
      isLegacy,
      async call({ message }, response) {
        beginEvents(response);
        const progressToken = message.params?._meta?.progressToken;
        const params = { progressToken, progress: 1, total: 2, message: 'half' };
        send(response, { jsonrpc: '2.0', method: 'notifications/progress', params });
        await delay(50);
        send(response, {
          jsonrpc: '2.0',
          id: message.id,
          result: { ...text('whole'), ...(isLegacy ? {} : { resultType: 'complete' }) },
        });
        response.end();
        return undefined;
      },
    });
    await bench.listed();
    const frames = await bench.frames('web__echo');
    expect(frames.flatMap((frame) => (frame.type === 'progress' ? [frame.progress] : []))).toEqual([
      { done: 1, total: 2, message: 'half' },
    ]);
    expect(frames.at(-1)).toMatchObject({ result: { outcome: 'ok', text: 'whole' } });
  });

  test.each([
    [
      'its stream ends',
      (response: Parameters<Handler>[1]) => {
        beginEvents(response);
        response.end();
      },
    ],
    ['its connection is cut', (response: Parameters<Handler>[1]) => void response.destroy()],
    [
      'its stream is cut',
      (response: Parameters<Handler>[1]) => {
        beginEvents(response);
        setTimeout(() => response.destroy(), 20);
      },
    ],
    ['a gateway gives up', (response: Parameters<Handler>[1]) => void response.writeHead(504).end()],
  ])('is not asked again, and nobody knows what it did, when %s', async (_, cut) => {
    const { server, bench } = await worlds.make({
      isLegacy,
      call: (_received, response) => {
        cut(response);
        return undefined;
      },
    });
    await bench.listed();
    const begun = performance.now();
    expect(await bench.last('web__echo')).toMatchObject({ result: { outcome: 'unknown', code: 'TOOL_UNAVAILABLE' } });
    expect(performance.now() - begun).toBeLessThan(5000);
    expect(server.calls()).toHaveLength(1);
  });

  test.each([
    [503, 'can not be reached now'],
    [429, 'can not be reached now'],
    [403, 'HTTP status 403'],
    [302, 'can not be reached now'],
  ])('that answers %i has done nothing', async (status, told) => {
    const location = 'http://127.0.0.1:1/';
    const { server, bench } = await worlds.make({
      isLegacy,
      call: (_, response) => void response.writeHead(status, { location }).end(),
    });
    await bench.listed();
    const last = await bench.last('web__echo');
    expect(last).toMatchObject({ result: { outcome: 'error', text: expect.stringContaining(told) } });
    expect(server.calls()).toHaveLength(1);
  });

  test('that is away is told of at once, and is used again when it is back', async () => {
    const { server, bench } = await worlds.make({ isLegacy, call: echo });
    await bench.listed();
    await server.stop();
    const last = await bench.last('web__echo');
    expect(last).toMatchObject({ result: { outcome: 'error', code: 'TOOL_UNAVAILABLE' } });
    expect(bench.names()).toEqual(['web__echo']);
    await server.start();
    await until(() =>
      server.received.some(({ message }) => message.method === 'tools/list' && server.received.length > 4),
    );
    await delay(100);
    expect(await bench.told('web__echo')).toBe('ok: echo: {}');
  });

  test('is told when a call is given up', async () => {
    const closed = Promise.withResolvers<string>();
    const { server, bench } = await worlds.make({
      isLegacy,
      call(_, response) {
        beginEvents(response);
        response.on('close', () => closed.resolve('closed'));
        return undefined;
      },
    });
    await bench.listed();
    const { stop, ended } = bench.begin('web__echo', {});
    await until(() => server.calls().length === 1);
    stop();
    await ended;
    await (isLegacy
      ? until(() => server.received.some(({ message }) => message.method === 'notifications/cancelled'))
      : closed.promise);
    expect(server.calls()).toHaveLength(1);
  });

  test('whose answer is too long is told so', async () => {
    const { bench } = await worlds.make({ isLegacy, call: () => text('x'.repeat(6 * 1024 * 1024)) });
    await bench.listed();
    expect(await bench.told('web__echo')).toBe(
      'error: The server web gave no usable answer: it is too long. What it did is done.',
    );
  });

  test('whose stream has an event that does not end is cut off', async () => {
    const { bench } = await worlds.make({
      isLegacy,
      call(_, response) {
        beginEvents(response);
        response.write(`data: ${'x'.repeat(6 * 1024 * 1024)}`);
        return undefined;
      },
    });
    await bench.listed();
    expect(await bench.last('web__echo')).toMatchObject({ result: { outcome: 'unknown' } });
  });
});

test('asks again with another session when a server has forgotten this one', async () => {
  const { server, bench } = await worlds.make({ isLegacy: true, call: echo });
  await bench.listed();
  server.forgetSessions();
  expect(await bench.told('web__echo', { a: 1 })).toBe('ok: echo: {"a":1}');
  expect(server.calls()).toHaveLength(2);
});

test('reads the list again when a server of 2026-07-28 says that it has changed', async () => {
  let tools = [echoTool];
  const { server, bench } = await worlds.make({ tools: () => tools });
  expect(await bench.listed()).toEqual(['web__echo']);
  await until(() => server.listening.size > 0);
  tools = [echoTool, { ...echoTool, name: 'other' }];
  server.tellListChanged();
  expect(await bench.listed((names) => names.length === 2)).toEqual(['web__echo', 'web__other']);
});
