import { DomainError } from '@spanwise/kernel';

/** Commands can not be kept apart on this machine as it is configured, or not now. Says what is missing. The operator sees to it. */
export function sandboxUnavailable(why: string, cause?: unknown): DomainError {
  const text = `Commands can not be run here: ${why}. The operator of this service has to see to it; work without bash.`;
  return new DomainError('unavailable', 'SANDBOX_UNAVAILABLE', text, { facts: { why }, cause });
}
