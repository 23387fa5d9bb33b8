import { DomainError, excerpt, invariantBroken } from '@spanwise/kernel';

/** The model asked for a tool that does not exist. It chooses one that does. */
export function toolNotFound(name: string, existing: readonly string[]): DomainError {
  const text = `There is no tool ${excerpt(name)}. The tools are: ${existing.join(', ')}.`;
  return new DomainError('not-found', 'TOOL_NOT_FOUND', text);
}

/** A tool ran into its time limit, or into the deadline of its caller. The model asks for less at once. */
export function toolTimedOut(limitMs: number): DomainError {
  const stopped = `The tool was stopped: it did not end within ${limitMs / 1000} s.`;
  const text = `${stopped} What it did until then stays done. Ask for less at once.`;
  return new DomainError('deadline', 'DEADLINE_EXCEEDED', text, { facts: { limit_ms: limitMs } });
}

/** Something of a call was used after the call. Nobody is told: it ends what a tool left behind. */
export function callIsOver(): DomainError {
  return new DomainError('cancelled', 'REQUEST_CANCELLED', 'The call is over.');
}

/** A tool that nothing is kept of asked for the user. A bug of the tool. */
export function cannotSuspend(tool: string): DomainError {
  return invariantBroken(`the tool ${tool} is READ_ONLY and suspended its call`);
}
