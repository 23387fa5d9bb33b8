import { Code, ConnectError } from '@connectrpc/connect';
import { DomainError, type ErrorKind } from '@spanwise/kernel';
import { toConnectError } from '@spanwise/service-kit';
import { expect, test } from 'vitest';
import { failureOf } from './call-failure.ts';

const ofProvider = (kind: ErrorKind, reason: string) => toConnectError(new DomainError(kind, reason, 'text'));
const onTheWay = (code: Code, cause?: unknown) => new ConnectError('text', code, undefined, undefined, cause);
const socketError = (code: string) => Object.assign(new RangeError(code), { code });

test.each([
  ['the provider shuts down', ofProvider('unavailable', 'SHUTTING_DOWN'), 'not-begun', 'lost'],
  ['nobody listens', onTheWay(Code.Unavailable, socketError('ECONNREFUSED')), 'not-begun', 'lost'],
  ['the connection is reset', onTheWay(Code.Unavailable, socketError('ECONNRESET')), 'lost', 'lost'],
  ['something unheard of', new RangeError('?'), 'lost', 'lost'],
  ['another version', ofProvider('precondition', 'TOOL_CHANGED'), 'changed', 'refused'],
  ['another version, without details', onTheWay(Code.FailedPrecondition), 'changed', 'lost'],
  ['no such tool', ofProvider('not-found', 'TOOL_NOT_FOUND'), 'changed', 'refused'],
  ['a bug', ofProvider('internal', 'INTERNAL'), 'refused', 'refused'],
  ['arguments that do not fit', ofProvider('invalid', 'INVALID_FIELD'), 'refused', 'refused'],
  ['the deadline, here', onTheWay(Code.DeadlineExceeded), 'too-late', 'too-late'],
  ['the deadline, there', ofProvider('deadline', 'DEADLINE_EXCEEDED'), 'too-late', 'too-late'],
  ['another kind of server', onTheWay(Code.Unimplemented), 'refused', 'refused'],
  ['a message that is too long', onTheWay(Code.ResourceExhausted), 'refused', 'refused'],
])('%s: judged before and after the tool was begun', (_, error, before, after) => {
  expect([failureOf(error, false).type, failureOf(error, true).type]).toEqual([before, after]);
});
