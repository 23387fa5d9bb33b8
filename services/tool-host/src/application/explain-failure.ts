import { DomainError } from '@spanwise/kernel';
import { mayHaveRun } from '../domain/tool/tool-errors.ts';

/** What the model, and the span, are told about a call that failed. */
export interface Failure {
  /** `unknown`: it may have been executed, or not. */
  readonly outcome: 'error' | 'timeout' | 'unknown';
  /** For the model: what went wrong and what to do. */
  readonly text: string;
  /** For the span: a reason of the catalogue. */
  readonly errorType: string;
  /** True when it is a bug, which is logged and not shown. */
  readonly isBug: boolean;
}

const bugText =
  'The tool failed: an error inside it, which was logged. Calling it again in the same way is unlikely to help.';

/** Turns what a step threw into an answer. A DomainError has a message for the model; all else would tell internals. */
export function explainFailure(error: unknown): Failure {
  if (!(error instanceof DomainError) || error.kind === 'internal') {
    return { outcome: 'error', text: bugText, errorType: 'INTERNAL', isBug: true };
  }
  const failed = error.kind === 'deadline' ? 'timeout' : 'error';
  const outcome = mayHaveRun(error) ? 'unknown' : failed;
  return { outcome, text: error.message.toWellFormed(), errorType: error.reason, isBug: false };
}

/** The reason of the catalogue that an error has. */
export function reasonOf(error: unknown): string {
  return error instanceof DomainError ? error.reason : 'INTERNAL';
}
