import { DomainError, excerpt, invariantBroken } from '@spanwise/kernel';

/** The provider serves another version of the tool by now, or does not serve it any more. The model looks what there is. */
export function providerMovedOn(tool: string, cause: unknown): DomainError {
  const text = `The tool ${excerpt(tool)} has changed meanwhile: nothing was done. Call it again if it is still there.`;
  return new DomainError('precondition', 'TOOL_CHANGED', text, { facts: { tool }, cause });
}

/** A tool of a provider can not be offered. Whoever wrote it corrects it; the others are offered. */
export function providedToolUnfit(why: string): DomainError {
  return new DomainError('invalid', 'INVALID_FIELD', `The tool ${why}.`);
}

/** A provider does not keep to its contract, or refuses this host. A bug, or a wrong address. */
export function providerBroken(provider: string, what: string, cause?: unknown): DomainError {
  return invariantBroken(`the tool provider ${provider} ${what}`, cause);
}
