import type { DomainError } from '@spanwise/kernel';
import type { Tool, ToolSuspension } from '@spanwise/tool-kit/contract';
import { hasReason, notSignedIn } from '../domain/files/file-errors.ts';
import type { ToolCall } from '../domain/tool/tool-call.ts';
import { isToolSignInNeeded } from '../domain/tool/tool-errors.ts';

/** What the owner of the session answers: that the request brings a token, or that there will be none. */
const schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  properties: {
    signed_in: {
      type: 'boolean',
      title: 'True: the request that answers has a valid token. False: go on without signing in.',
    },
  },
  required: ['signed_in'],
  additionalProperties: false,
};

/**
 * What the user is asked when a disk, or the server of a tool, has refused their token: to sign in. The call is executed
 * again with the token of the answer. For a disk this is not asked for a tool that may not be repeated, nor for one that asks
 * the user itself; a server that refuses has done nothing. Throws `error` when nobody is to be asked, and DISK_AUTH_REQUIRED or
 * UNAUTHENTICATED, in words for the model, when the user was and has not signed in.
 */
export function askToSignIn(tool: Tool, { answer }: ToolCall, error: unknown): ToolSuspension {
  const isAsked = tool.effect !== 'NON_REPEATABLE' && tool.toolClass !== 'interaction';
  if (!isToolSignInNeeded(error) && !(isAsked && hasReason(error, 'DISK_AUTH_REQUIRED'))) {
    throw error;
  }
  if (answer !== undefined && (answer.isExpired || hasDeclined(answer.answerJson))) {
    throw notSignedIn(error);
  }
  const again = answer === undefined ? '' : ' either';
  const message = `${whoRefuses(error)} did not take your token${again}: sign in, and answer with a valid one.`;
  return { suspend: { kind: 'auth', message, schema } };
}

function whoRefuses({ facts: { server, disk, path } }: DomainError): string {
  if (server !== undefined) {
    return `The server "${server}"`;
  }
  return disk === undefined ? `The disk of ${path}` : `The disk "${disk}" of ${path}`;
}

/** Session lets through only what fits the schema. */
function hasDeclined(answerJson: string): boolean {
  const value: unknown = JSON.parse(answerJson);
  return typeof value === 'object' && value !== null && 'signed_in' in value && value.signed_in === false;
}
