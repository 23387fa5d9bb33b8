import { bodyRedirectRefused, downgradeRefused, redirectUnusable, tooManyRedirects } from './egress-errors.ts';
import type { EgressGuard } from './egress-guard.ts';
import { type Answer, type Hop, textOf } from './exchange.ts';
import { headersForOthers, headersWithoutBody } from './request-headers.ts';

const redirectStatuses = new Set([301, 302, 303, 307, 308]);

/** Where an answer redirects to; undefined when it does not. Throws FETCH_FAILED for what is no URL. */
export function redirectOf(from: URL, { status, headers }: Pick<Answer, 'status' | 'headers'>): URL | undefined {
  if (!redirectStatuses.has(status) || headers.location === undefined) {
    return undefined;
  }
  // undici gives each byte of a header as a character. Servers write addresses in UTF-8.
  const location = Buffer.from(textOf(headers.location), 'latin1').toString('utf8');
  const to = URL.parse(location, from);
  if (to === null) {
    throw redirectUnusable(from.hostname);
  }
  return to;
}

/**
 * The request that follows a redirect, checked like the first one. On another origin (scheme, host or port) it has no
 * header that could be a secret, and no body. Throws EGRESS_REFUSED.
 */
export function nextHop(guard: EgressGuard, hop: Hop, status: number, to: URL): Hop {
  const url = guard.parse(to.href);
  if (hop.url.protocol === 'https:' && url.protocol === 'http:') {
    throw downgradeRefused(url.hostname);
  }
  const isSameOrigin = url.origin === hop.url.origin;
  const becomesGet = (status === 303 && hop.method !== 'HEAD') || (status < 303 && hop.method === 'POST');
  if (!isSameOrigin && !becomesGet && hop.body !== undefined) {
    throw bodyRedirectRefused(url.hostname);
  }
  const headers = isSameOrigin ? hop.headers : headersForOthers(hop.headers);
  return becomesGet
    ? { url, method: 'GET', headers: headersWithoutBody(headers), body: undefined }
    : { ...hop, url, headers };
}

/** Throws FETCH_FAILED when another redirect is one too many. */
export function assertMayRedirect(from: URL, count: number, limit: number): void {
  if (count >= limit) {
    throw tooManyRedirects(from.hostname, limit);
  }
}

/** Same host as policies see it: name, and the port unless it is the usual one of its scheme. */
export function isSameHost(one: URL, other: URL): boolean {
  return one.host === other.host;
}
