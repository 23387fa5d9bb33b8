import { Code, ConnectError } from '@connectrpc/connect';
import { ErrorInfoSchema, RetryInfoSchema } from '@spanwise/contracts/google/rpc/error_details';
import { type AgentError, ErrorReason } from '@spanwise/contracts/spanwise/error/v1/error';

/** What a call or a run failed with. Branch on `reason`. */
export class SpanwiseError extends Error {
  override readonly name = 'SpanwiseError';
  /** Name in the catalogue `spanwise.error.v1.ErrorReason`, for example `SESSION_BUSY`; `TRANSPORT` when no service spoke. */
  readonly reason: string;
  /** gRPC status code. */
  readonly code: Code;
  /** Facts by name, for example `run_id`. */
  readonly facts: Readonly<Record<string, string>>;
  /** How long to wait before the same request may succeed; undefined when not told. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: Code,
    reason: string,
    message: string,
    facts: Readonly<Record<string, string>> = {},
    retryAfterMs?: number,
    cause?: unknown,
  ) {
    super(message, { cause });
    this.code = code;
    this.reason = reason;
    this.facts = facts;
    this.retryAfterMs = retryAfterMs;
  }

  /** From whatever a call threw. */
  static from(error: unknown): SpanwiseError {
    if (error instanceof SpanwiseError) {
      return error;
    }
    const connectError = ConnectError.from(error);
    const info = connectError.findDetails(ErrorInfoSchema)[0];
    const delay = connectError.findDetails(RetryInfoSchema)[0]?.retryDelay;
    const retryAfterMs = delay === undefined ? undefined : Number(delay.seconds) * 1000 + delay.nanos / 1e6;
    const reason = info?.reason ?? 'TRANSPORT';
    return new SpanwiseError(connectError.code, reason, connectError.rawMessage, info?.metadata, retryAfterMs, error);
  }

  /** From the error of RUN_ERROR. */
  static fromRun({ code, reason, message }: AgentError): SpanwiseError {
    const name = Object.entries(ErrorReason).find(([, number]) => number === reason)?.[0] ?? 'INTERNAL';
    return new SpanwiseError(code, name, message);
  }

  /** Whether the stream may be opened again where it broke. Nothing of a run is lost by that. */
  get isBreak(): boolean {
    const fromTransport =
      this.reason === 'TRANSPORT' && this.code !== Code.InvalidArgument && this.code !== Code.NotFound;
    return fromTransport || breakReasons.has(this.reason);
  }
}

const breakReasons = new Set(['SHUTTING_DOWN', 'DATABASE_UNAVAILABLE', 'FENCED']);
