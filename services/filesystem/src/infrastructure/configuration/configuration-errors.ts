import { DomainError } from '@spanwise/kernel';

/** The configuration file can not be used. The operator corrects the line that `where` names. */
export function configurationInvalid(where: string, what: string, cause?: unknown): DomainError {
  return new DomainError('invalid', 'INVALID_FIELD', `${where}: ${what}.`, { facts: { where }, cause });
}
