import { DomainError, invariantBroken } from '@spanwise/kernel';
import { type ArgumentIssue, formatPath } from '../contract/argument-issue.ts';

/** Tools that can not be served together, or not apart from the host. The author corrects them; the process does not start. */
export function toolsUnfit(why: string): DomainError {
  return invariantBroken(`The tools can not be served: ${why}.`);
}

/** The provider serves no tool of that name, any more perhaps. tool-host lists anew. */
export function toolNotServed(tool: string): DomainError {
  return new DomainError('not-found', 'TOOL_NOT_FOUND', 'The provider serves no such tool.', { facts: { tool } });
}

/** The provider serves another version of the tool than the one that was asked for. tool-host lists anew. */
export function toolChanged(tool: string, version: string): DomainError {
  return new DomainError('precondition', 'TOOL_CHANGED', 'The provider serves another version of this tool.', {
    facts: { tool, version },
  });
}

/** The arguments do not fit the tool. The model corrects them. */
export function argumentsUnfit(issues: readonly ArgumentIssue[]): DomainError {
  const violations = issues.map(({ path, problem }) => ({ field: formatPath(path), description: problem }));
  const told = violations.map(({ field, description }) => `${field === '' ? '' : `${field}: `}${description}`);
  const text = `The arguments do not fit the tool. ${told.join(' ')}`;
  return new DomainError('invalid', 'INVALID_FIELD', text, { violations });
}

/** The user of the call is not the one in the header. A bug of the caller. */
export function userMismatch(): DomainError {
  return new DomainError('denied', 'IDENTITY_MISMATCH', 'The uid of the call differs from the header.');
}

/** The process is going away and begins nothing. tool-host asks another replica. */
export function shuttingDown(): DomainError {
  return new DomainError('unavailable', 'SHUTTING_DOWN', 'The provider is shutting down: try again.');
}

/** A tool has asked for something that only the host asks for. A bug of the tool. */
export function onlyQuestions(tool: string): DomainError {
  return invariantBroken(`the tool ${tool} suspended its call with something other than a question`);
}
