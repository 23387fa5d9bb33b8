import type { DomainError } from '@spanwise/kernel';
import { modelRejected } from '../../../domain/model/model-errors.ts';
import { retryAfter, shortened, statusError } from '../wire/http-errors.ts';

/** `google.rpc.Status` as JSON, as far as it can be relied on. */
interface WireStatus {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly status?: unknown;
  readonly details?: unknown;
}

/** What a response means that is no stream. */
export async function responseError(response: Response): Promise<DomainError> {
  const text = await response.text().catch(() => '');
  const status = statusIn(text);
  const header = retryAfter((name) => response.headers.get(name));
  return errorOf(status, response.status, header, text);
}

/** An error that the service put into its stream. */
export function streamedError(error: unknown): DomainError {
  const status: WireStatus = typeof error === 'object' && error !== null ? error : { message: error };
  const code = typeof status.code === 'number' && status.code >= 400 ? status.code : 500;
  return errorOf(status, code, undefined, error);
}

function errorOf(status: WireStatus, code: number, header: number | undefined, cause: unknown): DomainError {
  const details = JSON.stringify(status.details ?? []);
  // Told with 400, and its message may quote the key.
  if (details.includes('API_KEY_INVALID')) {
    return modelRejected(`it does not take the credentials (${code}).`, cause);
  }
  const message = typeof status.message === 'string' ? status.message : `it answered ${code}.`;
  return statusError({ status: code, message: shortened(message), retryAfterMs: header ?? retryDelay(details), cause });
}

/** The status of a body, which is an object or, from some endpoints, an array with one. */
function statusIn(text: string): WireStatus {
  try {
    const body: unknown = JSON.parse(text);
    const [first]: readonly unknown[] = Array.isArray(body) ? body : [body];
    const { error } = (first ?? {}) as { readonly error?: unknown };
    return typeof error === 'object' && error !== null ? error : {};
  } catch {
    return {};
  }
}

/** Milliseconds of the `retryDelay` of a `google.rpc.RetryInfo`, such as `"34.07s"`. */
function retryDelay(details: string): number | undefined {
  const [, seconds] = /"retryDelay":"([\d.]+)s"/.exec(details) ?? [];
  return seconds === undefined ? undefined : Math.ceil(Number(seconds) * 1000);
}
