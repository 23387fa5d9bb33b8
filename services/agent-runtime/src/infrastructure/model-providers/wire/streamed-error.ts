import type { DomainError } from '@spanwise/kernel';
import { modelRateLimited, modelRejected, modelUnavailable } from '../../../domain/model/model-errors.ts';
import { shortened } from './http-errors.ts';

/** Kinds of errors that the same request brings again. */
const refusals = /invalid_|insufficient_quota|context_length|_policy|image_|data_residency|\b400\b/;

/** An error that a server put into its stream, in the form that OpenAI and those who follow it have. */
export function streamedError(payload: unknown): DomainError {
  const { type, code, message } = payload as {
    readonly type?: unknown;
    readonly code?: unknown;
    readonly message?: unknown;
  };
  const kind = `${String(type)} ${String(code)}`;
  if (/rate_limit|\b429\b/.test(kind)) {
    return modelRateLimited(undefined, payload);
  }
  const text = shortened(typeof message === 'string' ? message : 'it sent an error');
  return refusals.test(kind)
    ? modelRejected(text, payload)
    : modelUnavailable(text.replace(/\.$/, ''), undefined, payload);
}
