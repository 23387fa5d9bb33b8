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

/** The server of a tool is away, and nothing of the call was begun. The model tries again later, or does without it. */
export function toolUnavailable(server: string, cause?: unknown): DomainError {
  const text = `The server ${server} can not be reached now: nothing was done. Try again later, or do without it.`;
  return new DomainError('unavailable', 'TOOL_UNAVAILABLE', text, { facts: { server }, cause });
}

/**
 * The connection to the server of a tool was lost when the call was on its way, and the tool may not be repeated. The model
 * looks before it does.
 */
export function toolLost(server: string, cause?: unknown): DomainError {
  const text = `The connection to the server ${server} was lost: it is not known whether the call was executed. It may have \
had effects. Look before you repeat it.`;
  return new DomainError('unavailable', 'TOOL_UNAVAILABLE', text, { facts: { server, executed: 'unknown' }, cause });
}

/** True for {@link toolLost}. */
export function mayHaveRun({ reason, facts }: DomainError): boolean {
  return reason === 'TOOL_UNAVAILABLE' && facts.executed === 'unknown';
}

/** The server wants the user's token and got none, or one that it does not take: it did nothing. The user signs in again. */
export function toolSignInNeeded(server: string, cause?: unknown): DomainError {
  const text = `The user has to sign in again before the server ${server} can be used. Tell them so, or work without it.`;
  return new DomainError('unauthenticated', 'UNAUTHENTICATED', text, { facts: { server }, cause });
}

/** True for {@link toolSignInNeeded}. */
export function isToolSignInNeeded(error: unknown): error is DomainError {
  return error instanceof DomainError && error.reason === 'UNAUTHENTICATED' && error.facts.server !== undefined;
}

/** The server describes the tool otherwise than before. Its operator looks at it, and allows it; the model does without. */
export function toolChanged(tool: string, server: string): DomainError {
  const text = `The server ${server} has changed the tool ${excerpt(tool)}: it is not used until an operator allows it.`;
  return new DomainError('precondition', 'TOOL_CHANGED', text, { facts: { tool, server } });
}

/** Something of a call was used after the call. Nobody is told: it ends what a tool left behind. */
export function callIsOver(): DomainError {
  return new DomainError('cancelled', 'REQUEST_CANCELLED', 'The call is over.');
}

/** A tool that nothing is kept of asked for the user. A bug of the tool. */
export function cannotSuspend(tool: string): DomainError {
  return invariantBroken(`the tool ${tool} is READ_ONLY and suspended its call`);
}
