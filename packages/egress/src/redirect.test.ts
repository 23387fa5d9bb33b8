import { DomainError } from '@spanwise/kernel';
import { expect, test } from 'vitest';
import { EgressGuard } from './egress-guard.ts';
import type { Hop } from './exchange.ts';
import { nextHop, redirectOf } from './redirect.ts';
import { requestHeaders } from './request-headers.ts';

const guard = new EgressGuard([]);
const headers = {
  accept: 'text/html',
  'accept-encoding': 'gzip, br, zstd, deflate',
  authorization: 'Bearer secret',
  'content-type': 'application/json',
  cookie: 'a=b',
  'user-agent': 'test',
  'x-api-key': 'secret',
};

function hop(facts: Partial<Hop> = {}): Hop {
  return { url: new URL('https://example.com/a'), method: 'GET', headers, body: undefined, ...facts };
}

function next(facts: Partial<Hop>, status: number, to: string): Hop | string {
  try {
    return nextHop(guard, hop(facts), status, new URL(to));
  } catch (error) {
    return error instanceof DomainError ? error.reason : String(error);
  }
}

const body = new Uint8Array([1]);

test('hands everything on within an origin', () => {
  const post = { method: 'POST', body };
  expect(next(post, 307, 'https://example.com/b')).toEqual({ ...hop(post), url: new URL('https://example.com/b') });
});

test.each(['https://other.example/', 'https://example.com:8443/', 'https://sub.example.com/'])(
  'hands nothing that could be a secret on to %s',
  (to) => {
    const { accept, 'accept-encoding': encoding, 'content-type': type, 'user-agent': agent } = headers;
    const harmless = { accept, 'accept-encoding': encoding, 'content-type': type, 'user-agent': agent };
    expect(next({}, 302, to)).toEqual({ ...hop(), url: new URL(to), headers: harmless });
    expect(next({ method: 'PUT', body }, 307, to)).toBe('EGRESS_REFUSED');
    expect(next({ method: 'POST', body }, 308, to)).toBe('EGRESS_REFUSED');
  },
);

test('becomes a GET without a body where fetch does', () => {
  const { 'content-type': _, ...rest } = headers;
  const get = { url: new URL('https://example.com/b'), method: 'GET', headers: rest, body: undefined };
  expect(next({ method: 'POST', body }, 302, 'https://example.com/b')).toEqual(get);
  expect(next({ method: 'PUT', body }, 303, 'https://example.com/b')).toEqual(get);
  expect(next({ method: 'HEAD' }, 303, 'https://example.com/b')).toMatchObject({ method: 'HEAD' });
});

test.each([
  ...['http://example.com/', 'https://127.0.0.1/', 'https://[::ffff:a9fe:a9fe]/', 'file:///etc/passwd', 'data:,x'],
  ...['https://user@example.com/', 'https://example.com:22/', 'javascript:alert(1)'],
])('refuses to follow a redirect to %s', (to) => {
  expect(next({}, 302, to)).toBe('EGRESS_REFUSED');
});

test('knows what a redirect is', () => {
  const from = new URL('https://example.com/a/b');
  const of = (status: number, location?: string) =>
    redirectOf(from, { status, headers: location === undefined ? {} : { location } })?.href;
  expect(of(302, Buffer.from('/ü').toString('latin1'))).toBe('https://example.com/%C3%BC');
  expect([of(302, '../c'), of(301, '//other.example'), of(302), of(304, '/x'), of(200, '/x'), of(300, '/x')]).toEqual([
    'https://example.com/c',
    'https://other.example/',
    ...[undefined, undefined, undefined, undefined],
  ]);
  expect(() => of(302, 'http://[')).toThrow('redirects to something that is not an address');
});

test('refuses headers that end themselves, and leaves out those of the connection', () => {
  const given = [
    ['Host', 'evil'],
    ['Transfer-Encoding', 'chunked'],
    ['X-Own', 'yes'],
    ['ACCEPT', 'text/html'],
  ] as const;
  expect(requestHeaders(given)).toEqual({
    accept: 'text/html',
    'accept-encoding': 'gzip, br, zstd, deflate',
    'user-agent': 'Mozilla/5.0 (compatible; Spanwise)',
    'x-own': 'yes',
  });
  for (const [name, value] of [
    ['x', 'a\r\nhost: evil'],
    ['x', 'a\0'],
    ['x\r\ny', 'a'],
    ['', 'a'],
    ['x y', 'a'],
    ['x', '日'],
  ]) {
    expect(() => requestHeaders([[name ?? '', value ?? '']])).toThrow(/^The header .* can not be sent/u);
  }
});
