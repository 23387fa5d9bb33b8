import { DomainError } from '@spanwise/kernel';
import type { EgressRequest } from '@spanwise/tool-kit/contract';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { GuardedEgress, guardedFetch } from '../src/index.ts';
import { answerOf, CountingServer } from './counting-server.ts';
import { hostileAnswers } from './hostile-answers.ts';
import { selfSigned } from './self-signed.ts';

let site: CountingServer;

beforeAll(async () => {
  site = await CountingServer.start(hostileAnswers);
});

afterAll(async () => {
  await site[Symbol.asyncDispose]();
});

const never = new AbortController().signal;
const page = 'hello from the web';
const mebibyte = 1024 * 1024;

function get(path: string, request: EgressRequest = {}, signal = never) {
  const egress = new GuardedEgress({ allow: [`127.0.0.1:${site.port}`] });
  return egress.fetch(
    `http://127.0.0.1:${site.port}${path}`,
    { timeoutMs: 5000, maxBytes: mebibyte, ...request },
    signal,
  );
}

/** What comes of it, short enough to be compared: status and text, or how much of it; or the reason and the text of an error. */
async function outcome(path: string, request: EgressRequest = {}): Promise<string> {
  try {
    const { status, body, isTruncated } = await get(path, request);
    const text = body.byteLength > 100 ? `${body.byteLength} bytes` : Buffer.from(body).toString();
    return `${status} ${text}${isTruncated ? ', cut' : ''}`;
  } catch (error) {
    return error instanceof DomainError ? `${error.reason} ${error.message.replace(/^"\S*" /u, '')}` : String(error);
  }
}

/** The same by the fetch for libraries. */
async function fetchOutcome(path: string): Promise<string> {
  const fetch = guardedFetch({ allow: [`127.0.0.1:${site.port}`], maxBytes: mebibyte, idleTimeoutMs: 1500 });
  try {
    const response = await fetch(`http://127.0.0.1:${site.port}${path}`, { signal: AbortSignal.timeout(10_000) });
    return `${response.status} ${await response.text()}`;
  } catch (error) {
    return error instanceof DomainError ? error.reason : String(error);
  }
}

test.each(['/plain', '/gzip', '/br', '/zstd', '/deflate', '/raw-deflate', '/twice', '/hints'])(
  'reads %s',
  async (path) => {
    expect([await outcome(path), await fetchOutcome(path)]).toEqual([`200 ${page}`, `200 ${page}`]);
  },
);

test.each(['/gzip-bomb', '/br-bomb', '/zstd-bomb', '/deflate-bomb', '/raw-deflate-bomb', '/nested-bomb'])(
  'keeps of %s what was asked for, and lets no more of it into memory',
  async (path) => {
    const before = process.memoryUsage();
    expect([await outcome(path), await fetchOutcome(path)]).toEqual(['200 1048576 bytes, cut', 'FETCH_FAILED']);
    const after = process.memoryUsage();
    // Both would be 64 MiB more.
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(24 * mebibyte);
  },
);

test.each(['/endless', '/endless-chunks'])('stops reading %s, and closes its connection', async (path) => {
  const before = site.sentBytes;
  expect([await outcome(path), await fetchOutcome(path)]).toEqual(['200 1048576 bytes, cut', 'FETCH_FAILED']);
  await vi.waitFor(() => expect(site.open.size).toBe(0));
  // What a connection holds on its way is some megabytes.
  expect(site.sentBytes - before).toBeLessThan(32 * mebibyte);
});

const connectionFailed = 'gave no usable answer: ';

test.each([
  ['/members', 'The answer of "127.0.0.1" is longer than 1048576 bytes.'],
  ['/hollow-bomb', 'The answer of "127.0.0.1" is longer than 1048576 bytes.'],
  ['/thrice', 'The answer of "127.0.0.1" is encoded in an unknown way: "gzip, gzip, gzip".'],
  ['/compress', 'The answer of "127.0.0.1" is encoded in an unknown way: "compress".'],
  ['/not-gzip', `${connectionFailed}its body can not be decoded.`],
  ['/cut-gzip', `${connectionFailed}its body can not be decoded.`],
  ['/too-short', `${connectionFailed}it closed the connection.`],
  ['/cut-chunk', `${connectionFailed}it closed the connection.`],
  ['/two-lengths', `${connectionFailed}its body is not as long as it says.`],
  ['/length-and-chunks', `${connectionFailed}its body is not as long as it says.`],
  ['/negative-length', `${connectionFailed}what it says is not HTTP.`],
  ['/http09', `${connectionFailed}what it says is not HTTP.`],
  ['/rubbish', `${connectionFailed}what it says is not HTTP.`],
  ['/nothing', `${connectionFailed}it closed the connection.`],
  ['/reset', `${connectionFailed}it closed the connection.`],
  ['/huge-header', `${connectionFailed}its headers are too long.`],
  ['/many-headers', `${connectionFailed}its headers are too long.`],
  ['/endless-header', `${connectionFailed}its headers are too long.`],
  ['/hint-flood', `${connectionFailed}the connection failed.`],
  ['/continue', `${connectionFailed}it closed the connection.`],
  ['/switch', `${connectionFailed}it closed the connection.`],
  ['/status-099', `${connectionFailed}what it says is not HTTP.`],
  ['/loop', 'There were more than 5 redirects, the last of them at "127.0.0.1".'],
  ['/redirect-nowhere', 'redirects to something that is not an address.'],
])('fails at %s', async (path, problem) => {
  expect([await outcome(path), await fetchOutcome(path)]).toEqual([`FETCH_FAILED ${problem}`, 'FETCH_FAILED']);
  await vi.waitFor(() => expect(site.open.size).toBe(0));
});

test.each(['/silence', '/slow-headers', '/slow-body', '/slow-gzip'])(
  'gives %s up when the time is over',
  async (path) => {
    const begun = performance.now();
    expect(await outcome(path, { timeoutMs: 700 })).toBe(
      'DEADLINE_EXCEEDED did not answer in full within 0.7 seconds.',
    );
    expect(performance.now() - begun).toBeLessThan(3000);
    await vi.waitFor(() => expect(site.open.size).toBe(0));
  },
);

test('the time is for all redirects together', async () => {
  const begun = performance.now();
  const dripping = await CountingServer.start({
    '/': (socket) => setTimeout(() => socket.end(answerOf('', 'location: /\r\n', '302 Found')), 200),
  });
  const egress = new GuardedEgress({ allow: [`127.0.0.1:${dripping.port}`] });
  const request = { timeoutMs: 500, maxRedirects: 100 };
  await expect(egress.fetch(`http://127.0.0.1:${dripping.port}/`, request, never)).rejects.toMatchObject({
    reason: 'DEADLINE_EXCEEDED',
  });
  expect(performance.now() - begun).toBeLessThan(3000);
  await dripping[Symbol.asyncDispose]();
});

test('a caller that gives up is heard at once, with its own reason', async () => {
  const giveUp = new AbortController();
  const reason = new DomainError('cancelled', 'CANCELLED', 'enough');
  setTimeout(() => giveUp.abort(reason), 100);
  await expect(get('/slow-body', {}, giveUp.signal)).rejects.toBe(reason);
  await expect(get('/plain', {}, giveUp.signal)).rejects.toBe(reason);
  await vi.waitFor(() => expect(site.open.size).toBe(0));
});

test('reads no more than a body says that it has, and nothing for a body that is empty', async () => {
  expect([await outcome('/too-long'), await outcome('/empty-gzip'), await outcome('/redirect-empty')]).toEqual([
    '200 hello',
    '200 ',
    // Empty is the page itself.
    'FETCH_FAILED There were more than 5 redirects, the last of them at "127.0.0.1".',
  ]);
});

test('an answer to nobody is not the answer to the next who asks', async () => {
  const fetch = guardedFetch({ allow: [`127.0.0.1:${site.port}`] });
  const egress = new GuardedEgress({ allow: [`127.0.0.1:${site.port}`] });
  const url = `http://127.0.0.1:${site.port}`;
  for (let round = 0; round < 5; round += 1) {
    const first = await egress.fetch(`${url}/two-answers`, {}, never);
    const second = await egress.fetch(`${url}/plain`, {}, never);
    expect([first, second].map(({ body }) => Buffer.from(body).toString())).toEqual(['first', page]);
    expect(await (await fetch(`${url}/two-answers`)).text()).toBe('first');
    expect(await (await fetch(`${url}/plain`)).text()).toBe(page);
  }
});

test('keeps no cookies', async () => {
  const egress = new GuardedEgress({ allow: [`127.0.0.1:${site.port}`] });
  const { headers } = await egress.fetch(`http://127.0.0.1:${site.port}/cookie`, {}, never);
  expect(headers['set-cookie']).toBe('a=secret; Path=/, b=2');
  site.requests.length = 0;
  await egress.fetch(`http://127.0.0.1:${site.port}/plain`, {}, never);
  expect(site.requests.map((request) => request.headers.cookie)).toEqual([undefined]);
});

test('does not speak to a server whose certificate nobody known has signed, whatever the environment says', async () => {
  await using secure = await CountingServer.start({ '/': (to) => to.end(answerOf('secret')) }, { isTls: true });
  const resolve = () => Promise.resolve(['127.0.0.1']);
  const allow = [`127.0.0.1:${secure.port}`];
  const at = async (host: string, ca?: string) => {
    const egress = new GuardedEgress({ allow, resolve, ...(ca === undefined ? {} : { ca }) });
    try {
      const { status } = await egress.fetch(`https://${host}:${secure.port}/`, { timeoutMs: 5000 }, never);
      return status;
    } catch (error) {
      return error instanceof DomainError ? error.message : error;
    }
  };
  const invalid = (host: string) =>
    `"${host}" gave no usable answer: its certificate is not valid for it, or nobody known has signed it.`;
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
  try {
    expect(await at('good.example')).toBe(invalid('good.example'));
    expect(await at('127.0.0.1')).toBe(invalid('127.0.0.1'));
    // Known, but the certificate is for another name.
    expect(await at('other.example', selfSigned.cert)).toBe(invalid('other.example'));
    expect(secure.requests).toEqual([]);
    expect(await at('good.example', selfSigned.cert)).toBe(200);
    expect(await at('good.example.', selfSigned.cert)).toBe(200);
  } finally {
    vi.unstubAllEnvs();
  }
  expect(secure.requests).toHaveLength(2);
});

test('does not give up encryption for a redirect', async () => {
  const location = `location: http://127.0.0.1:${site.port}/plain\r\n`;
  await using secure = await CountingServer.start(
    { '/': (to) => to.end(answerOf('', location, '302 Found')) },
    { isTls: true },
  );
  const resolve = () => Promise.resolve(['127.0.0.1']);
  const egress = new GuardedEgress({ allow: ['127.0.0.1'], resolve, ca: selfSigned.cert });
  site.connections = 0;
  await expect(egress.fetch(`https://good.example:${secure.port}/`, {}, never)).rejects.toMatchObject({
    reason: 'EGRESS_REFUSED',
    message: 'The server redirects from https to http, at "127.0.0.1", which is not followed.',
  });
  expect(site.connections).toBe(0);
});

test('https to a server without it, and a port on which nobody listens', async () => {
  const egress = new GuardedEgress({ allow: ['127.0.0.1'] });
  const closed = await CountingServer.start();
  const { port } = closed;
  await closed[Symbol.asyncDispose]();
  for (const url of [`https://127.0.0.1:${site.port}/`, `http://127.0.0.1:${port}/`]) {
    await expect(egress.fetch(url, { timeoutMs: 5000 }, never)).rejects.toMatchObject({ reason: 'FETCH_FAILED' });
  }
});

test('answers with a redirect to another host when it is to stay', async () => {
  const elsewhere = await CountingServer.start({
    '/': (to) => to.end(answerOf('moved', `location: http://127.0.0.1:${site.port}/plain#x\r\n`, '301 Moved')),
    '/own': (to) => to.end(answerOf('', 'location: /\r\n', '302 Found')),
  });
  const egress = new GuardedEgress({ allow: ['127.0.0.1'] });
  const url = `http://127.0.0.1:${elsewhere.port}/`;
  site.connections = 0;
  const { body, ...response } = await egress.fetch(`${url}own`, { staysOnHost: true }, never);
  expect({ ...response, text: Buffer.from(body).toString() }).toEqual({
    headers: expect.any(Object),
    ...{ url, status: 301, isTruncated: false, text: 'moved' },
    redirectsTo: `http://127.0.0.1:${site.port}/plain#x`,
  });
  expect(site.connections).toBe(0);
  await elsewhere[Symbol.asyncDispose]();
});
