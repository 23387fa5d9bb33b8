import { approvalAnswerInvalid } from './run-errors.ts';

const maxReasonLength = 4000;

/**
 * The answer to an interrupt of kind approval, as it is stored: always in the same words, so that the same answer is known
 * again. Throws INVALID_FIELD for anything that is not clearly a yes or a no.
 */
export function approvalJson(answerJson: string): string {
  const value: unknown = JSON.parse(answerJson);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw approvalAnswerInvalid('must be an object');
  }
  const { approved, arguments: edited, reason, ...others } = value as Readonly<Record<string, unknown>>;
  const [unknown] = Object.keys(others);
  if (typeof approved !== 'boolean' || unknown !== undefined) {
    throw approvalAnswerInvalid('must have "approved", true or false, and besides it "arguments" or "reason" only');
  }
  if (edited !== undefined && (typeof edited !== 'object' || edited === null || Array.isArray(edited) || !approved)) {
    throw approvalAnswerInvalid('may have "arguments" that are an object, of a call that is approved');
  }
  if (reason !== undefined && (typeof reason !== 'string' || reason.length > maxReasonLength)) {
    throw approvalAnswerInvalid(`may have a "reason" of ${maxReasonLength} characters at most`);
  }
  return JSON.stringify({ approved, reason, arguments: edited });
}
