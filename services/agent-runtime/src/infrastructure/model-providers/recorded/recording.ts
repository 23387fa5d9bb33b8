import { DomainError, type ErrorKind } from '@spanwise/kernel';
import type { ModelPart } from '../../../domain/model/model-part.ts';
import type { ModelRequest } from '../../../domain/model/model-request.ts';

/**
 * What a model was asked and what it answered, in our words, whatever its wire. A file of JSON lines: the head, then what
 * happened, each with the milliseconds since the question. It has no headers, addresses or keys.
 */
export interface Recording {
  readonly head: RecordingHead;
  readonly steps: readonly RecordedStep[];
}

export interface RecordingHead {
  readonly version: 1;
  /** Id of the provider. */
  readonly provider: string;
  /** Milliseconds since 1970 UTC. */
  readonly askedAtMs: number;
  readonly request: ModelRequest;
}

/** Without a `finish` part and a failure the reader stopped reading. */
export type RecordedStep = { readonly ms: number } & (
  | { readonly part: ModelPart }
  | { readonly failed: RecordedFailure }
);

export interface RecordedFailure {
  readonly kind: ErrorKind;
  readonly reason: string;
  readonly message: string;
  readonly retryAfterMs?: number | undefined;
}

export function failureOf({ kind, reason, message, retryAfterMs }: DomainError): RecordedFailure {
  return { kind, reason, message, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** The error that was recorded; its cause is not. */
export function errorOf({ kind, reason, message, retryAfterMs }: RecordedFailure): DomainError {
  return new DomainError(kind, reason, message, retryAfterMs === undefined ? {} : { retryAfterMs });
}

export function encodeRecording({ head, steps }: Recording): string {
  return [head, ...steps].map((line) => `${JSON.stringify(line, replace)}\n`).join('');
}

/** Undefined when the text is no recording. */
export function decodeRecording(text: string): Recording | undefined {
  try {
    const [head, ...steps] = text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line, revive) as unknown);
    return (head as RecordingHead | undefined)?.version === 1
      ? { head: head as RecordingHead, steps: steps as readonly RecordedStep[] }
      : undefined;
  } catch {
    return undefined;
  }
}

/** JSON has neither large integers nor bytes. */
function replace(this: Readonly<Record<string, unknown>>, key: string, value: unknown): unknown {
  const original = this[key];
  if (original instanceof Uint8Array) {
    return { $bytes: Buffer.from(original).toString('base64') };
  }
  return typeof original === 'bigint' ? { $integer: String(original) } : value;
}

function revive(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 1) {
    return value;
  }
  const { $bytes, $integer } = value as { readonly $bytes?: unknown; readonly $integer?: unknown };
  if (typeof $bytes === 'string') {
    return new Uint8Array(Buffer.from($bytes, 'base64'));
  }
  return typeof $integer === 'string' ? BigInt($integer) : value;
}
