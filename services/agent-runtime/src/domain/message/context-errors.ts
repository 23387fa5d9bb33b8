import { DomainError } from '@spanwise/kernel';

/** The context breaks a rule of model providers. A bug of ours, found before a provider refuses the request. */
export function contextInvalid(what: string, messageId: string, cause?: unknown): DomainError {
  return new DomainError('internal', 'CONTEXT_INVALID', `The model context is not valid: ${what}.`, {
    facts: { message_id: messageId },
    cause,
  });
}
