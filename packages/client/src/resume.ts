import { durationMs } from '@bufbuild/protobuf/wkt';
import { Code } from '@connectrpc/connect';
import type { AgentEvent } from '@spanwise/contracts/spanwise/event/v1/event';
import type { Handoff } from '@spanwise/contracts/spanwise/session/v1/session';
import { DeltaFilter, hole } from './delta-filter.ts';
import { SpanwiseError } from './spanwise-error.ts';

/** What the messages of both event streams have in common. */
export interface StreamMessage {
  readonly events: AgentEvent[];
  readonly handoff?: Handoff | undefined;
  readonly heartbeat?: object | undefined;
}

export interface ResumeOptions {
  /** Ends the stream, without an error. */
  readonly signal?: AbortSignal;
  /** Gives up after this long without progress; default 60,000. */
  readonly maxBreakMs?: number;
  /** Silence that counts as a break; default 25,000 (services give a sign of life every 10 s). */
  readonly silenceMs?: number;
}

export interface ResumableStream<Message extends StreamMessage> {
  /** Opens the stream for events after a seq. */
  open(afterSeq: bigint, signal: AbortSignal): AsyncIterable<Message>;
  /** Whether nothing comes after this event, even if the stream goes on. */
  isLast(event: AgentEvent): boolean;
  /** Whether a stream that the service has ended with OK is at its end after what it told last; any other end is a break. */
  isAtEnd(last: AgentEvent | undefined): boolean;
  readonly afterSeq: bigint;
  readonly onMessage?: (message: Message) => void;
}

/**
 * Reads a stream of events over all breaks: opened again at the last seq, with backoff and jitter, it tells every durable
 * event once and every byte of text once. A stream that ends early is never taken for its end; one that is handed off is
 * opened again at once, at another replica. Throws SpanwiseError when the service refuses, or when nothing comes for
 * `maxBreakMs`.
 */
export async function* resume<Message extends StreamMessage>(
  stream: ResumableStream<Message>,
  { signal, maxBreakMs = 60_000, silenceMs = 25_000 }: ResumeOptions,
): AsyncGenerator<AgentEvent, void> {
  let cursor = stream.afterSeq;
  let lastProgressMs = performance.now();
  let last: AgentEvent | undefined;
  const filter = new DeltaFilter();
  for (let attempt = 0; !isAborted(signal); attempt += 1) {
    let failure = new SpanwiseError(Code.Unavailable, 'TRANSPORT', 'The stream ended early.');
    let handoff: Handoff | undefined;
    const connection = new Connection(silenceMs, signal);
    try {
      for await (const message of stream.open(cursor, connection.signal)) {
        connection.hasTold();
        if (isProgress(message)) {
          lastProgressMs = performance.now();
          attempt = 0;
        }
        stream.onMessage?.(message);
        handoff = message.handoff;
        for (const event of message.events) {
          if (event.seq > 0n && event.seq <= cursor) {
            continue;
          }
          const passed = filter.pass(event);
          if (passed === hole) {
            throw new SpanwiseError(Code.Unavailable, 'TRANSPORT', 'Text is missing from the stream.');
          }
          cursor = event.seq > 0n ? event.seq : cursor;
          last = event;
          if (passed !== undefined) {
            yield passed;
          }
          if (stream.isLast(event)) {
            return;
          }
        }
      }
      if (handoff === undefined && !connection.signal.aborted && stream.isAtEnd(last)) {
        return;
      }
    } catch (error) {
      failure = SpanwiseError.from(error);
      if (!isAborted(signal) && !failure.isBreak) {
        throw failure;
      }
    } finally {
      connection.end();
    }
    if (performance.now() - lastProgressMs > maxBreakMs) {
      throw failure;
    }
    await pause(pauseMs(handoff, failure, attempt), signal);
  }
}

/** One stream: it ends with the caller's signal, when nothing is told for too long, and when it is left. */
class Connection {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #silence: NodeJS.Timeout;
  readonly #abort = () => this.#controller.abort();

  constructor(silenceMs: number, caller: AbortSignal | undefined) {
    this.#caller = caller;
    this.#silence = setTimeout(this.#abort, silenceMs);
    caller?.addEventListener('abort', this.#abort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  hasTold(): void {
    this.#silence.refresh();
  }

  /** Leaving a loop over the stream does not cancel its call by itself. */
  end(): void {
    clearTimeout(this.#silence);
    this.#caller?.removeEventListener('abort', this.#abort);
    this.#abort();
  }
}

function pauseMs(handoff: Handoff | undefined, failure: SpanwiseError, attempt: number): number {
  return handoff === undefined ? (failure.retryAfterMs ?? backoffMs(attempt)) : handoffMs(handoff);
}

/** That a stream was opened is none. */
function isProgress({ events, heartbeat }: StreamMessage): boolean {
  return events.length > 0 || heartbeat !== undefined;
}

/** What the service says, and a little more, so that not all come at once. */
function handoffMs({ retryAfter }: Handoff): number {
  return (retryAfter === undefined ? 0 : durationMs(retryAfter)) + Math.random() * 50;
}

/** 50 ms, doubling to 5 s, half of it random. */
function backoffMs(attempt: number): number {
  const full = Math.min(5_000, 50 * 2 ** attempt);
  return full / 2 + (Math.random() * full) / 2;
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}
