import { DomainError, excerpt } from '@spanwise/kernel';

/** The pattern can not be compiled, or would cost too much. The caller corrects it; `why` says what is wrong. */
export function patternInvalid(pattern: string, why: string, cause?: unknown): DomainError {
  return new DomainError('invalid', 'PATTERN_INVALID', `Not a usable pattern: ${excerpt(pattern)}: ${why}.`, {
    facts: { why },
    cause,
  });
}
