/**
 * What kind of failure it is: decides the gRPC code (one place: service-kit) and what a caller can do about it.
 *
 * - `invalid` the request breaks a rule whatever the state; correct it
 * - `out-of-range` a cursor or offset lies outside what exists
 * - `unauthenticated` no valid credentials
 * - `denied` valid credentials, but not for this
 * - `not-found` it does not exist, or it is someone else's
 * - `exists` it exists already, or the key was used for something else
 * - `precondition` not in this state; change the state first
 * - `aborted` lost a race; read again and retry
 * - `exhausted` over a limit
 * - `unavailable` a dependency failed; the same request may succeed later
 * - `deadline` out of time
 * - `cancelled` the caller gave up
 * - `unsupported` this implementation cannot do it
 * - `internal` a bug
 */
export type ErrorKind =
  | 'invalid'
  | 'out-of-range'
  | 'unauthenticated'
  | 'denied'
  | 'not-found'
  | 'exists'
  | 'precondition'
  | 'aborted'
  | 'exhausted'
  | 'unavailable'
  | 'deadline'
  | 'cancelled'
  | 'unsupported'
  | 'internal';

/** Facts of an error by name; they reach the caller, so no secrets, no SQL, no host paths. */
export type ErrorFacts = Readonly<Record<string, string | number>>;

export interface DomainErrorOptions {
  readonly facts?: ErrorFacts;
  /** Milliseconds after which the same request may succeed. */
  readonly retryAfterMs?: number;
  /** What broke a rule, field by field; only for `invalid`. */
  readonly violations?: readonly FieldViolation[];
  /** Stays in logs; never sent. */
  readonly cause?: unknown;
}

/** One field of a request that breaks its rule. */
export interface FieldViolation {
  /** Path of the field, for example `input[0].parts`. */
  readonly field: string;
  readonly description: string;
}

/** What every copy of this class is known by. */
const mark = Symbol.for('spanwise.dev/DomainError');

/**
 * The one error that crosses layers and services. `reason` is a name of the public catalogue
 * (`spanwise.error.v1.ErrorReason` without its prefix): programs branch on it, never on the message.
 */
export class DomainError extends Error {
  override readonly name = 'DomainError';
  readonly kind: ErrorKind;
  readonly reason: string;
  readonly facts: ErrorFacts;
  readonly retryAfterMs: number | undefined;
  readonly violations: readonly FieldViolation[];

  /** A module outside of a bundle brings a class of its own: what it throws is a DomainError none the less. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // Classes made from this one inherit the method, and mean themselves.
    return this === DomainError
      ? value instanceof Error && mark in value
      : Function.prototype[Symbol.hasInstance].call(this, value);
  }

  constructor(kind: ErrorKind, reason: string, message: string, options: DomainErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.reason = reason;
    this.facts = options.facts ?? {};
    this.retryAfterMs = options.retryAfterMs;
    this.violations = options.violations ?? [];
  }

  get [mark](): true {
    return true;
  }
}

/** A state that the code rules out was met: a bug. Answered as INTERNAL. */
export function invariantBroken(what: string, cause?: unknown): DomainError {
  return new DomainError('internal', 'INTERNAL', what, { cause });
}

/** Closes an exhaustive switch: the compiler refuses a case that was forgotten. */
export function unreachable(value: never): never {
  throw invariantBroken(`unexpected value ${String(value)}`);
}

/** Text of a caller made fit for an error message: control characters escaped, at most 64 characters. */
export function excerpt(text: string): string {
  const quoted = JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text);
  return quoted;
}
