import { DomainError } from '@spanwise/kernel';

/** The program of a server has ended, or its input is closed: nothing was sent. */
export function pipeBroken(): DomainError {
  return new DomainError('unavailable', 'TOOL_UNAVAILABLE', 'The program of the server has ended.');
}

/** The server redirects, which is never followed: what is sent may be the token of a user. The operator corrects the URL. */
export function redirected(): DomainError {
  return new DomainError('denied', 'EGRESS_REFUSED', 'The server redirects elsewhere, which is not followed.');
}

/** An answer of the server is longer than is read. The call may have been executed. */
export function answerTooLong(maxBytes: number): DomainError {
  return new DomainError('exhausted', 'TOOL_FAILED', `The server answered with more than ${maxBytes} bytes.`);
}

/** The server did what it was asked to, or not, and says so in a way that can not be used. The model asks otherwise. */
export function answerUnusable(server: string, why: string, cause?: unknown): DomainError {
  const text = `The server ${server} gave no usable answer: ${why}. What it did is done.`;
  return new DomainError('precondition', 'TOOL_FAILED', text, { facts: { server }, cause });
}

/** The server refused the call, or failed in it. What it says is for the model. */
export function refusedByServer(server: string, message: string, cause?: unknown): DomainError {
  const text = `The server ${server} answered with an error: ${message === '' ? 'it does not say which' : message}`;
  return new DomainError('precondition', 'TOOL_FAILED', text, { facts: { server }, cause });
}

/** The server asks for what it is not given: too much, too often, or something that only a person at it could answer. */
export function asksTooMuch(server: string, what: string): DomainError {
  const text = `The server ${server} asked for ${what}, which it is not given. Do without this tool.`;
  return new DomainError('precondition', 'TOOL_FAILED', text, { facts: { server } });
}

/** As many users have a connection to the server as may. The model tries again later. */
export function tooManyClients(server: string): DomainError {
  const text = `The server ${server} is busy with other users. Try again later.`;
  return new DomainError('exhausted', 'TOO_MANY_CALLS', text, { facts: { server } });
}

/** The connection was lost during a call that may be repeated. The model calls again. */
export function callLost(server: string, cause?: unknown): DomainError {
  const text = `The connection to the server ${server} was lost during the call. It may be called again.`;
  return new DomainError('unavailable', 'TOOL_UNAVAILABLE', text, { facts: { server }, cause });
}
