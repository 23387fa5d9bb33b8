import { DomainError, excerpt } from '@spanwise/kernel';

/** The text is no path, or one that can not be used for this. The caller corrects it; `why` says what is wrong. */
export function pathInvalid(text: string, why: string): DomainError {
  return new DomainError('invalid', 'PATH_INVALID', `Not a usable path: ${excerpt(text)}: ${why}.`, {
    facts: { path: shortened(text), why },
  });
}

/** What a caller sent as a path may be huge or malformed; facts travel in headers. */
function shortened(text: string): string {
  return text.length > 256 ? `${text.slice(0, 256).toWellFormed()}…` : text.toWellFormed();
}
