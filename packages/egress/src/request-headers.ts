import { headerRefused } from './egress-errors.ts';

/** Names in lower case. */
export type RequestHeaders = Readonly<Record<string, string>>;

/** Those of the connection, which belong to whoever opens it; and what would be a second word about the body. */
const ownHeaders = new Set([
  ...['accept-encoding', 'connection', 'content-length', 'expect', 'host', 'http2-settings', 'keep-alive'],
  ...['proxy-authorization', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
]);

/** What another origin may see. Secrets have many names, so these are the ones that are none. */
const harmlessHeaders = new Set(['accept', 'accept-language', 'content-language', 'content-type', 'user-agent']);

const token = /^[!#$%&'*+.^_`|~0-9a-z-]+$/u;
/** Visible characters, spaces, tabs and the bytes above 127. */
const sendable = /^[\t\u0020-\u007e\u0080-\u00ff]*$/u;

/** The headers of a request, checked. Those of the connection are left out. Throws EGRESS_REFUSED. */
export function requestHeaders(given: Iterable<readonly [string, string]>): RequestHeaders {
  const headers: Record<string, string> = {
    accept: '*/*',
    'user-agent': 'Mozilla/5.0 (compatible; Spanwise)',
  };
  for (const [name, value] of given) {
    const lower = name.toLowerCase();
    if (!token.test(lower) || !sendable.test(value)) {
      throw headerRefused(name);
    }
    if (!ownHeaders.has(lower)) {
      headers[lower] = value;
    }
  }
  return { ...headers, 'accept-encoding': 'gzip, br, zstd, deflate' };
}

/** What of the headers goes with a redirect to another origin. */
export function headersForOthers(headers: RequestHeaders): RequestHeaders {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => harmlessHeaders.has(name) || name === 'accept-encoding'),
  );
}

/** What of the headers goes with a redirect that drops the body. */
export function headersWithoutBody(headers: RequestHeaders): RequestHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith('content-')));
}
