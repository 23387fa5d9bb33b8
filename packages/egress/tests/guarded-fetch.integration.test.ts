import type { Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { guardedFetch } from '../src/index.ts';
import { answerOf, CountingServer } from './counting-server.ts';
import { redirectTo } from './hostile-answers.ts';

let site: CountingServer;
let url: string;
/** Connections on which nothing more comes. */
const quiet = new Set<Socket>();
const eventStream = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';

beforeAll(async () => {
  site = await CountingServer.start({
    '/': (socket) => socket.write(answerOf('hello', 'content-type: text/plain\r\nx-two: a\r\nx-two: b\r\n')),
    '/empty': (socket) => socket.write('HTTP/1.1 204 No Content\r\n\r\n'),
    '/moved': redirectTo('/'),
    '/events': (socket) => {
      socket.write(eventStream);
      let sent = 0;
      const timer = setInterval(() => {
        sent += 1;
        socket.write(`9\r\ndata: ${sent}\n\n\r\n`);
        if (sent === 3) {
          clearInterval(timer);
          socket.write('0\r\n\r\n');
        }
      }, 60);
    },
    '/quiet': (socket) => {
      quiet.add(socket.on('close', () => quiet.delete(socket)));
      socket.write(`${eventStream}2\r\n: \r\n`);
    },
    '/long-events': (socket) =>
      socket.end(`HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n${'data: x\n\n'.repeat(1000)}`),
  });
  url = `http://127.0.0.1:${site.port}`;
});

afterAll(async () => {
  await site[Symbol.asyncDispose]();
});

beforeEach(() => {
  site.requests.length = 0;
  site.connections = 0;
});

function fetchOf(options: { idleTimeoutMs?: number; maxBytes?: number } = {}): typeof fetch {
  return guardedFetch({ allow: [`127.0.0.1:${site.port}`], ...options });
}

test('answers as fetch does', async () => {
  const response = await fetchOf()(new URL('/moved', url));
  const { status, ok, redirected } = response;
  expect({ status, ok, redirected, url: response.url, text: await response.text() }).toEqual({
    ...{ status: 200, ok: true, redirected: true, url: `${url}/`, text: 'hello' },
  });
  expect([response instanceof Response, response.headers.get('x-two'), response.headers.get('content-type')]).toEqual([
    ...[true, 'a, b', 'text/plain'],
  ]);
  const empty = await fetchOf()(`${url}/empty`);
  expect([empty.status, empty.body]).toEqual([204, null]);
});

test('sends what a Request says', async () => {
  const body = JSON.stringify({ jsonrpc: '2.0' });
  const headers = { 'Content-Type': 'application/json', authorization: 'Bearer x', 'mcp-session-id': '1' };
  const fetch = fetchOf();
  await (await fetch(new Request(`${url}/`, { method: 'POST', body, headers }))).text();
  await (await fetch(`${url}/`, { method: 'POST', body: new URLSearchParams({ a: 'b c' }) })).text();
  expect(
    site.requests.map(({ line, headers: sent, body: text }) => [line, sent['content-type'], sent.authorization, text]),
  ).toEqual([
    ['POST /', 'application/json', 'Bearer x', body],
    ['POST /', 'application/x-www-form-urlencoded;charset=UTF-8', undefined, 'a=b+c'],
  ]);
});

test('follows redirects as it is asked to', async () => {
  const fetch = fetchOf();
  const manual = await fetch(`${url}/moved`, { redirect: 'manual' });
  expect([manual.status, manual.headers.get('location')]).toEqual([302, '/']);
  await expect(fetch(`${url}/moved`, { redirect: 'error' })).rejects.toMatchObject({ reason: 'FETCH_FAILED' });
});

test('keeps a connection for the requests that follow', async () => {
  const fetch = fetchOf();
  for (let request = 0; request < 5; request += 1) {
    await (await fetch(`${url}/`)).text();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect([site.requests.length, site.connections <= 2]).toEqual([5, true]);
});

test('tells events as they come', async () => {
  const response = await fetchOf()(`${url}/events`);
  const times: number[] = [];
  let text = '';
  for await (const chunk of response.body ?? []) {
    times.push(performance.now());
    text += new TextDecoder().decode(chunk);
  }
  expect(text).toBe('data: 1\n\ndata: 2\n\ndata: 3\n\n');
  expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(80);
});

test('limits bodies, but not streams of events', async () => {
  const fetch = fetchOf({ maxBytes: 4 });
  await expect((await fetch(`${url}/`)).text()).rejects.toMatchObject({ reason: 'FETCH_FAILED' });
  expect(await (await fetch(`${url}/long-events`)).text()).toHaveLength(9000);
});

test('closes the connection of a stream that is cancelled while nothing comes', async () => {
  const response = await fetchOf()(`${url}/quiet`);
  const reader = response.body?.getReader();
  await reader?.read();
  const pending = reader?.read();
  await reader?.cancel();
  expect(await pending).toEqual({ done: true, value: undefined });
  await vi.waitFor(() => expect(quiet.size).toBe(0));
});

test('ends with the reason of the signal, before and after an answer has begun', async () => {
  const stop = new AbortController();
  const fetch = fetchOf();
  const response = await fetch(`${url}/quiet`, { signal: stop.signal });
  const text = response.text();
  setTimeout(() => stop.abort(new TypeError('enough')), 50);
  await expect(text).rejects.toThrow('enough');
  await expect(fetch(`${url}/`, { signal: stop.signal })).rejects.toThrow('enough');
  await vi.waitFor(() => expect(quiet.size).toBe(0));
});

test('gives up a stream on which nothing comes', async () => {
  const response = await fetchOf({ idleTimeoutMs: 1000 })(`${url}/quiet`);
  await expect(response.text()).rejects.toMatchObject({
    reason: 'FETCH_FAILED',
    message: '"127.0.0.1" gave no usable answer: it stopped in the middle.',
  });
  await vi.waitFor(() => expect(quiet.size).toBe(0));
});
