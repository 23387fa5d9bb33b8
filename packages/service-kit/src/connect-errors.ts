import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from '@spanwise/contracts/google/rpc/error_details';
import { ErrorReason } from '@spanwise/contracts/spanwise/error/v1/error';
import { DomainError, type ErrorKind } from '@spanwise/kernel';

/** `google.rpc.ErrorInfo.domain` of every error that a Spanwise service sends. */
export const errorDomain = 'spanwise.dev';

const codeOfKind: Readonly<Record<ErrorKind, Code>> = {
  invalid: Code.InvalidArgument,
  'out-of-range': Code.OutOfRange,
  unauthenticated: Code.Unauthenticated,
  denied: Code.PermissionDenied,
  'not-found': Code.NotFound,
  exists: Code.AlreadyExists,
  precondition: Code.FailedPrecondition,
  aborted: Code.Aborted,
  exhausted: Code.ResourceExhausted,
  unavailable: Code.Unavailable,
  deadline: Code.DeadlineExceeded,
  cancelled: Code.Canceled,
  unsupported: Code.Unimplemented,
  internal: Code.Internal,
};

const kindOfCode = new Map<Code, ErrorKind>(
  (Object.entries(codeOfKind) as [ErrorKind, Code][]).map(([kind, code]) => [code, kind]),
);

/** What is said of errors that were not raised as a {@link DomainError}. */
const reasonOfCode: Partial<Record<Code, string>> = {
  [Code.InvalidArgument]: 'INVALID_FIELD',
  [Code.Canceled]: 'REQUEST_CANCELLED',
  [Code.DeadlineExceeded]: 'DEADLINE_EXCEEDED',
  [Code.Unavailable]: 'SERVICE_UNAVAILABLE',
  [Code.Unauthenticated]: 'UNAUTHENTICATED',
};

/** The gRPC code of a kind of error. */
export function codeOf(kind: ErrorKind): Code {
  return codeOfKind[kind];
}

/** Number of a reason in the public catalogue; INTERNAL when it has no such name. */
export function reasonNumber(reason: string): ErrorReason {
  const value: unknown = Object.entries(ErrorReason).find(([name]) => name === reason)?.[1];
  return typeof value === 'number' ? (value as ErrorReason) : ErrorReason.INTERNAL;
}

/** Name of a reason of the public catalogue; INTERNAL for one that this build does not know. */
export function reasonName(reason: ErrorReason): string {
  return Object.entries(ErrorReason).find(([, number]) => number === reason)?.[0] ?? 'INTERNAL';
}

/** What goes on the wire for an error: code, message, ErrorInfo and, where they apply, BadRequest and RetryInfo. */
export function toConnectError(error: unknown): ConnectError {
  if (error instanceof DomainError) {
    return encode(error);
  }
  if (error instanceof ConnectError) {
    return errorInfoOf(error) === undefined ? withErrorInfo(error) : error;
  }
  // Whatever else it is, its text may tell internals.
  return encode(new DomainError('internal', 'INTERNAL', 'Internal error.', { cause: error }));
}

/** What a client makes of an error from the wire. */
export function toDomainError(error: unknown): DomainError {
  if (error instanceof DomainError) {
    return error;
  }
  const connectError = ConnectError.from(error);
  const kind = kindOfCode.get(connectError.code) ?? 'internal';
  const info = errorInfoOf(connectError);
  const retry = connectError.findDetails(RetryInfoSchema)[0]?.retryDelay;
  return new DomainError(kind, info?.reason ?? reasonOfCode[connectError.code] ?? 'INTERNAL', connectError.rawMessage, {
    facts: { ...info?.metadata },
    ...(retry === undefined ? {} : { retryAfterMs: Number(retry.seconds) * 1000 + retry.nanos / 1e6 }),
    violations: connectError
      .findDetails(BadRequestSchema)
      .flatMap(({ fieldViolations }) => fieldViolations.map(({ field, description }) => ({ field, description }))),
    cause: error,
  });
}

/** The ErrorInfo that a Spanwise service attached; undefined when the error comes from elsewhere, such as the transport. */
export function errorInfoOf(error: ConnectError) {
  return error.findDetails(ErrorInfoSchema).find(({ domain }) => domain === errorDomain);
}

function encode(error: DomainError): ConnectError {
  const metadata = Object.fromEntries(Object.entries(error.facts).map(([name, fact]) => [name, String(fact)]));
  const connectError = new ConnectError(error.message, codeOfKind[error.kind], undefined, undefined, error);
  connectError.details = [
    { desc: ErrorInfoSchema, value: { reason: error.reason, domain: errorDomain, metadata } },
    ...(error.violations.length === 0
      ? []
      : [
          {
            desc: BadRequestSchema,
            value: { fieldViolations: error.violations.map((violation) => ({ ...violation })) },
          },
        ]),
    ...(error.retryAfterMs === undefined
      ? []
      : [{ desc: RetryInfoSchema, value: { retryDelay: durationOf(error.retryAfterMs) } }]),
  ];
  return connectError;
}

function withErrorInfo(error: ConnectError): ConnectError {
  const reason = reasonOfCode[error.code] ?? 'INTERNAL';
  error.details.push({ desc: ErrorInfoSchema, value: create(ErrorInfoSchema, { reason, domain: errorDomain }) });
  return error;
}

function durationOf(ms: number) {
  return { seconds: BigInt(Math.floor(ms / 1000)), nanos: Math.round((ms % 1000) * 1e6) };
}
