import { DomainError } from '@spanwise/kernel';
import { modelRejected, modelUnavailable, streamIncomplete } from '../../../domain/model/model-errors.ts';
import { retryAfter, shortened, statusError } from '../wire/http-errors.ts';
import { streamedError as openAiStreamedError } from '../wire/streamed-error.ts';

/** What the errors of AI SDK providers may have; told by name, because each provider may bring its own copy of the classes. */
interface SdkError {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly statusCode?: unknown;
  readonly responseHeaders?: Readonly<Record<string, string>>;
  readonly isRetryable?: unknown;
  readonly responseBody?: unknown;
  /** What came and was not understood. */
  readonly value?: unknown;
}

/** What became of a request that was not answered with a stream. */
export function requestError(error: unknown): DomainError {
  if (error instanceof DomainError) {
    return error;
  }
  const { name, statusCode, responseHeaders = {}, isRetryable, responseBody } = sdkErrorOf(error);
  // A quota that is used up does not come back in seconds.
  if (statusCode === 429 && typeof responseBody === 'string' && responseBody.includes('insufficient_quota')) {
    return modelRejected('the quota is used up.', error);
  }
  if (typeof statusCode === 'number' && statusCode >= 400) {
    const headers = new Map(Object.entries(responseHeaders).map(([key, value]) => [key.toLowerCase(), value]));
    const retryAfterMs = retryAfter((key) => headers.get(key));
    return statusError({ status: statusCode, message: messageOf(error), retryAfterMs, cause: error });
  }
  if (name === 'AI_APICallError' && isRetryable !== true) {
    // An answer that is no stream, such as a page for people.
    return statusError({ status: 400, message: messageOf(error), retryAfterMs: undefined, cause: error });
  }
  // A key that is not there, or a setting that the provider does not take.
  return typeof name === 'string' && /^AI_(?:Load|Invalid|Unsupported|NoSuch)/.test(name)
    ? statusError({ status: 400, message: messageOf(error), retryAfterMs: undefined, cause: error })
    : modelUnavailable('it could not be reached', undefined, error);
}

/** An error that a model put into its stream. */
export function streamedError(error: unknown): DomainError {
  const { name, statusCode, value } = sdkErrorOf(error);
  if (error instanceof DomainError || typeof statusCode === 'number') {
    return requestError(error);
  }
  if (typeof name === 'string' && /^AI_(?:JSONParse|TypeValidation|InvalidResponseData)Error$/.test(name)) {
    return saidError(value) ?? streamIncomplete('a chunk can not be read', error);
  }
  return modelUnavailable(shortened(messageOf(error)).replace(/\.$/, ''), undefined, error);
}

/** The error of a server that the provider's package did not expect in this form. */
function saidError(value: unknown): DomainError | undefined {
  const { error, object } = (typeof value === 'object' && value !== null ? value : {}) as Readonly<
    Record<string, unknown>
  >;
  if (typeof error === 'object' && error !== null) {
    return openAiStreamedError(error);
  }
  return typeof error === 'string' || object === 'error' ? openAiStreamedError(value) : undefined;
}

function sdkErrorOf(error: unknown): SdkError {
  return typeof error === 'object' && error !== null ? error : {};
}

function messageOf(error: unknown): string {
  const { message } = sdkErrorOf(error);
  if (typeof message === 'string') {
    return message;
  }
  return typeof error === 'string' ? error : 'it sent an error';
}
