import { DomainError } from '@spanwise/kernel';
import type { EgressRequest } from '@spanwise/tool-kit/contract';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { GuardedEgress, type GuardOptions, guardedFetch, type ResolveName } from '../src/index.ts';
import { answerOf, CountingServer } from './counting-server.ts';
import { redirectTo } from './hostile-answers.ts';
import { insideHosts, resolveInside } from './inside-hosts.ts';

/** What must never be reached. */
let trap: CountingServer;
/** What may be reached, at 127.0.0.1 and its own port only. */
let site: CountingServer;

beforeAll(async () => {
  trap = await CountingServer.start({ '/': (socket) => socket.end(answerOf('secret of the inside')) });
  site = await CountingServer.start({
    '/': (socket) => socket.end(answerOf('hello')),
    '/to': (socket, { line }) => {
      const [, status = '302', to = ''] = /\/to\/(\d+)\/(\S+)/u.exec(line) ?? [];
      redirectTo(decodeURIComponent(to), Number(status))(socket, { line, headers: {}, body: '' });
    },
    '/hop': redirectTo('/to/302/%2F'),
  });
});

afterAll(async () => {
  await trap[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});

beforeEach(() => {
  for (const server of [trap, site]) {
    server.requests.length = 0;
    server.connections = 0;
  }
});

const never = new AbortController().signal;

function guarded(options: GuardOptions = {}): GuardedEgress {
  return new GuardedEgress({ allow: [`127.0.0.1:${site.port}`], resolve: resolveInside, ...options });
}

/** Body of the answer, or the reason why there is none. */
async function outcome(url: string, request: EgressRequest = {}, egress = guarded()): Promise<string> {
  try {
    const { status, body } = await egress.fetch(url, { timeoutMs: 5000, ...request }, never);
    return `${status} ${Buffer.from(body).toString()}`;
  } catch (error) {
    return error instanceof DomainError ? error.reason : String(error);
  }
}

/** The same by the fetch for libraries, which has its own way through the code. */
async function fetchOutcome(url: string, init: RequestInit = {}): Promise<string> {
  try {
    const response = await guardedFetch({ allow: [`127.0.0.1:${site.port}`], resolve: resolveInside })(url, init);
    return `${response.status} ${await response.text()}`;
  } catch (error) {
    return error instanceof DomainError ? error.reason : String(error);
  }
}

test.each(insideHosts)('does not reach http://%s', async (host) => {
  const url = `http://${host}:${trap.port}/`;
  expect([await outcome(url), await fetchOutcome(url)]).toEqual(['EGRESS_REFUSED', 'EGRESS_REFUSED']);
  expect(await outcome(`https://${host}:${trap.port}/`)).toBe('EGRESS_REFUSED');
  expect(trap.connections).toBe(0);
});

test.each(['localhost', 'localhost.', 'LocalHost', 'a.localhost', 'a.localhost.'])(
  'does not reach %s as this machine resolves it',
  async (host) => {
    const egress = new GuardedEgress();
    // A system that does not know names below localhost finds no address.
    const expected = host.startsWith('a.') ? /^(EGRESS_REFUSED|FETCH_FAILED)$/u : /^EGRESS_REFUSED$/u;
    expect(await outcome(`http://${host}:${trap.port}/`, {}, egress)).toMatch(expected);
    expect(trap.connections).toBe(0);
  },
);

test.each(insideHosts)('is not redirected to http://%s', async (host) => {
  const to = encodeURIComponent(`http://${host}:${trap.port}/`);
  const url = `http://open.example:${site.port}/to/302/${to}`;
  expect([await outcome(url), await fetchOutcome(url)]).toEqual(['EGRESS_REFUSED', 'EGRESS_REFUSED']);
  expect([trap.connections, site.requests.length]).toEqual([0, 2]);
});

test.each([301, 302, 303, 307, 308])('is not redirected to the inside by %i, whatever the method', async (status) => {
  const to = encodeURIComponent(`http://127.0.0.1:${trap.port}/`);
  const url = `http://open.example:${site.port}/to/${status}/${to}`;
  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'] as const) {
    const body = method === 'POST' || method === 'PUT' ? { body: 'x' } : {};
    const [one, other] = [await outcome(url, { method, ...body }), await fetchOutcome(url, { method, ...body })];
    expect([one, other]).toEqual(['EGRESS_REFUSED', 'EGRESS_REFUSED']);
  }
  expect(trap.connections).toBe(0);
});

test.each([
  ...[
    'file:///etc/passwd',
    'gopher://127.0.0.1:PORT/_x',
    'data:text/html,x',
    'ftp://127.0.0.1:PORT/',
    'javascript:alert(1)',
  ],
  ...[
    'ws://127.0.0.1:PORT/',
    'blob:http://127.0.0.1:PORT/x',
    'unix:/var/run/docker.sock',
    'dict://127.0.0.1:PORT/',
    'about:blank',
  ],
  ...[
    'http:127.0.0.1:PORT/',
    'http:/127.0.0.1:PORT/',
    '\\\\127.0.0.1:PORT\\',
    'http:\\\\127.0.0.1:PORT\\',
    ' http://127.0.0.1:PORT/',
  ],
  ...[
    'http://open.example@127.0.0.1:PORT/',
    'http://open.example:x@127.0.0.1:PORT/',
    'http://127.0.0.1:PORT@open.example/',
  ],
  ...[
    'http://127.0.0.1:PORT#@open.example/',
    'http://127.0.0.1:PORT?@open.example/',
    'http://127.0.0.1:PORT\\@open.example/',
  ],
  ...[
    'http://127.0.0.1\t:PORT/',
    'ht\ntp://127.0.0.1:PORT/',
    'http://127.0.0.1:0PORT/',
    'http://[::1%25lo]:PORT/',
    '',
    'http://',
  ],
  `http://open.example/${'a'.repeat(10_000)}`,
])('does not go to %j, nor is redirected there', async (shape) => {
  const url = shape.replace('PORT', String(trap.port));
  expect(await outcome(url)).toBe('EGRESS_REFUSED');
  expect(await fetchOutcome(url)).toBe('EGRESS_REFUSED');
  // What is not absolute would be one of the site; and a header has no line ends and ends somewhere.
  if (/^[a-z]+:/u.test(url) && !/[\t\n]/u.test(url) && !/^https?:\/?(?!\/)/u.test(url) && url.length < 9000) {
    const redirect = await outcome(`http://open.example:${site.port}/to/302/${encodeURIComponent(url)}`);
    expect(redirect).toMatch(/^(EGRESS_REFUSED|FETCH_FAILED)$/u);
  }
  expect(trap.connections).toBe(0);
});

test('dials the address that it has checked, and asks for the name once for each connection', async () => {
  const asked: string[] = [];
  // The first answer may be reached; all later ones are the trap's network.
  const rebinding: ResolveName = async (name) => {
    asked.push(name);
    return asked.length === 1 ? ['127.0.0.1'] : ['127.0.0.2'];
  };
  const egress = guarded({ resolve: rebinding });
  const url = `http://rebind.example:${site.port}/`;
  expect([await outcome(url, {}, egress), await outcome(url, {}, egress)]).toEqual(['200 hello', 'EGRESS_REFUSED']);
  expect([asked.length, site.connections]).toEqual([2, 1]);
});

test('judges a name anew when a server redirects to itself', async () => {
  let asked = 0;
  const rebinding: ResolveName = async () => [++asked === 1 ? '127.0.0.1' : '10.0.0.1'];
  expect(await outcome(`http://rebind.example:${site.port}/hop`, {}, guarded({ resolve: rebinding }))).toBe(
    'EGRESS_REFUSED',
  );
  expect([asked, site.requests.map(({ line }) => line)]).toEqual([2, ['GET /hop']]);
});

test('an allowed port is not another one, and an allowed name not another name', async () => {
  const egress = new GuardedEgress({ allow: [`open.example:${site.port}`], resolve: resolveInside });
  const at = (host: string, port: number) => outcome(`http://${host}:${port}/`, {}, egress);
  expect([
    await at('open.example', site.port),
    await at('OPEN.example.', site.port),
    await at('open.example', trap.port),
    await at('loopback.example', site.port),
    await at('127.0.0.1', site.port),
    await at('not.open.example', site.port),
  ]).toEqual(['200 hello', '200 hello', 'EGRESS_REFUSED', 'EGRESS_REFUSED', 'EGRESS_REFUSED', 'FETCH_FAILED']);
  expect(trap.connections).toBe(0);
});

test.each(['none.example', 'rubbish.example', 'unknown.example', 'xn--lopback-6fg.example'])(
  'finds no address of %s',
  async (host) => {
    expect(await outcome(`http://${host}:${trap.port}/`)).toBe('FETCH_FAILED');
  },
);

test('tells nothing of what a name resolves to', async () => {
  const texts = await Promise.all(
    ['private.example', 'metadata.google.internal', 'mixed.example', 'unknown.example', 'none.example'].map((host) =>
      guarded()
        .fetch(`http://${host}/`, {}, never)
        .catch((error: DomainError) => JSON.stringify([error.message, error.facts])),
    ),
  );
  expect(texts).toEqual([
    '["\\"private.example\\" can not be reached from here: it is not a public address.",{"host":"private.example"}]',
    '["\\"metadata.google.internal\\" can not be reached from here: it is not a public address.",{"host":"metadata.google.internal"}]',
    '["\\"mixed.example\\" can not be reached from here: it is not a public address.",{"host":"mixed.example"}]',
    '["\\"unknown.example\\" can not be found: there is no such name, or it has no address.",{"host":"unknown.example"}]',
    '["\\"none.example\\" can not be found: there is no such name, or it has no address.",{"host":"none.example"}]',
  ]);
});

test('line ends in a path or a query make no header', async () => {
  const url = `http://open.example:${site.port}/a\r\nx-evil: 1?q=\r\nx-evil: 2%0d%0ax-evil:%203`;
  expect(await outcome(url)).toMatch(/^404/u);
  expect(site.requests).toEqual([
    {
      line: 'GET /ax-evil:%201?q=x-evil:%202%0d%0ax-evil:%203',
      headers: expect.not.objectContaining({ 'x-evil': expect.anything() }),
      body: '',
    },
  ]);
});

test.each([
  ['x-a', 'b\r\nx-evil: 1'],
  ['x-a', 'b\nc'],
  ['x-a', 'b\0'],
  ['x-a\r\nx-evil', '1'],
  ['x a', '1'],
])('does not send the header %j: %j', async (name, value) => {
  expect(await outcome(`http://open.example:${site.port}/`, { headers: { [name]: value } })).toBe('EGRESS_REFUSED');
  expect(site.connections).toBe(0);
});

test('sends no secret and no body on to another origin', async () => {
  const to = (status: number) =>
    `http://open.example:${site.port}/to/${status}/${encodeURIComponent(`http://127.0.0.1:${site.port}/`)}`;
  const headers = { authorization: 'Bearer s', cookie: 'a=s', 'x-api-key': 's', host: 'evil', connection: 'upgrade' };
  expect(await outcome(to(302), { headers })).toBe('200 hello');
  expect(site.requests.map((request) => request.headers)).toEqual([
    {
      ...{ accept: '*/*', 'accept-encoding': 'gzip, br, zstd, deflate', connection: 'close' },
      ...{ host: `open.example:${site.port}`, 'user-agent': 'Mozilla/5.0 (compatible; Spanwise)' },
      ...{ authorization: 'Bearer s', cookie: 'a=s', 'x-api-key': 's' },
    },
    {
      ...{ accept: '*/*', 'accept-encoding': 'gzip, br, zstd, deflate', connection: 'close' },
      ...{ host: `127.0.0.1:${site.port}`, 'user-agent': 'Mozilla/5.0 (compatible; Spanwise)' },
    },
  ]);
  expect(await outcome(to(307), { method: 'POST', body: 'secret' })).toBe('EGRESS_REFUSED');
  expect(await fetchOutcome(to(307), { method: 'POST', body: 'secret' })).toBe('EGRESS_REFUSED');
  expect(site.requests).toHaveLength(4);
});

test('goes through no proxy that the environment names', async () => {
  const proxy = `http://127.0.0.1:${trap.port}`;
  for (const name of ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'NODE_USE_ENV_PROXY']) {
    vi.stubEnv(name, name === 'NODE_USE_ENV_PROXY' ? '1' : proxy);
  }
  try {
    const url = `http://open.example:${site.port}/`;
    expect([await outcome(url), await fetchOutcome(url)]).toEqual(['200 hello', '200 hello']);
  } finally {
    vi.unstubAllEnvs();
  }
  expect(trap.connections).toBe(0);
});
