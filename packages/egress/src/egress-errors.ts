import { DomainError, excerpt } from '@spanwise/kernel';

/*
 * None of these texts tells what a name resolves to: they reach whoever has asked, for whom this process's DNS is not.
 */

/** The text is no URL, or too long for one. The caller corrects it. */
export function notAnAddress(url: string): DomainError {
  return refused(`${excerpt(url)} is not an address of the web: give a whole one, such as https://example.com/page.`);
}

/** Neither http nor https. */
export function schemeRefused(scheme: string): DomainError {
  return refused(`Only http and https addresses can be reached, not ${excerpt(scheme)}.`);
}

/** The URL has a user name or a password in it. */
export function userinfoRefused(): DomainError {
  return refused('An address with a user name or password in it can not be reached: leave them out.');
}

/** A port on which something else than the web is usual. The operator can allow it with the host. */
export function portRefused(host: string, port: number): DomainError {
  return refused(`Port ${port} of ${excerpt(host)} can not be reached from here.`, host);
}

/** The host is not public, or the name has an address that is not. The operator can allow it. */
export function notPublic(host: string): DomainError {
  return refused(`${excerpt(host)} can not be reached from here: it is not a public address.`, host);
}

/** A redirect that gives up encryption. */
export function downgradeRefused(host: string): DomainError {
  return refused(`The server redirects from https to http, at ${excerpt(host)}, which is not followed.`, host);
}

/** A redirect that would hand the body of the request to another server. */
export function bodyRedirectRefused(host: string): DomainError {
  return refused(`The server redirects to ${excerpt(host)}, to which what was sent is not handed on.`, host);
}

/** A header that can not be sent: its name or value has characters that end it. */
export function headerRefused(name: string): DomainError {
  return refused(`The header ${excerpt(name)} can not be sent: its name or value has characters that are not allowed.`);
}

/** No address of the name is known. */
export function nameUnknown(host: string, cause: unknown): DomainError {
  return failed(`${excerpt(host)} can not be found: there is no such name, or it has no address.`, host, cause);
}

/** The server can not be reached, or what it says is not HTTP. */
export function noAnswer(host: string, cause: unknown): DomainError {
  return failed(`${excerpt(host)} gave no usable answer: ${problemOf(cause)}.`, host, cause);
}

/** One redirect after another. */
export function tooManyRedirects(host: string, limit: number): DomainError {
  return failed(`There were more than ${limit} redirects, the last of them at ${excerpt(host)}.`, host);
}

/** A redirect to something that is no URL. */
export function redirectUnusable(host: string): DomainError {
  return failed(`${excerpt(host)} redirects to something that is not an address.`, host);
}

/** The body is in a form that was not asked for. */
export function encodingUnknown(host: string, encoding: string): DomainError {
  return failed(`The answer of ${excerpt(host)} is encoded in an unknown way: ${excerpt(encoding)}.`, host);
}

/** An answer is longer than its reader takes. */
export function answerTooLong(host: string, maxBytes: number): DomainError {
  return failed(`The answer of ${excerpt(host)} is longer than ${maxBytes} bytes.`, host);
}

/** It took too long, redirects and body included. */
export function outOfTime(host: string, timeoutMs: number): DomainError {
  const message = `${excerpt(host)} did not answer in full within ${timeoutMs / 1000} seconds.`;
  return new DomainError('deadline', 'DEADLINE_EXCEEDED', message, { facts: { host } });
}

/** An entry of the operator's list can not be used. The operator corrects it. */
export function badAllowEntry(entry: string): DomainError {
  return new DomainError(
    'invalid',
    'INVALID_FIELD',
    `${excerpt(entry)} is neither a host nor a range of addresses, such as internal.example.com, *.example.com, ` +
      '10.1.0.0/16 or localhost:8080.',
  );
}

function refused(message: string, host?: string): DomainError {
  return new DomainError('denied', 'EGRESS_REFUSED', message, host === undefined ? {} : { facts: { host } });
}

function failed(message: string, host: string, cause?: unknown): DomainError {
  return new DomainError('unavailable', 'FETCH_FAILED', message, { facts: { host }, cause });
}

const problems: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'it refuses connections',
  ECONNRESET: 'it closed the connection',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to it',
  EPIPE: 'it closed the connection',
  ETIMEDOUT: 'it can not be reached in time',
  UND_ERR_BODY_TIMEOUT: 'it stopped in the middle',
  UND_ERR_CONNECT_TIMEOUT: 'it can not be reached in time',
  UND_ERR_HEADERS_OVERFLOW: 'its headers are too long',
  UND_ERR_HEADERS_TIMEOUT: 'it did not begin to answer',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'its body is not as long as it says',
  UND_ERR_SOCKET: 'it closed the connection',
};

/** In words of this table only: texts of other libraries have addresses in them. */
function problemOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  if (/CERT|TLS|SSL|SELF_SIGNED|ISSUER/u.test(code)) {
    return 'its certificate is not valid for it, or nobody known has signed it';
  }
  // undici asserts what its parser lets through.
  if (cause instanceof Error && (cause.name === 'HTTPParserError' || code === 'ERR_ASSERTION')) {
    return 'what it says is not HTTP';
  }
  if (code.startsWith('Z_') || code.includes('BROTLI') || code.startsWith('ERR_ZSTD') || code.startsWith('ZSTD_')) {
    return 'its body can not be decoded';
  }
  return problems[code] ?? 'the connection failed';
}
