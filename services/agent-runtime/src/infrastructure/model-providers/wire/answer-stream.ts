import { modelRejected, streamIncomplete } from '../../../domain/model/model-errors.ts';
import type { ModelPart } from '../../../domain/model/model-part.ts';
import { SseDecoder } from './sse-decoder.ts';

/** Turns the events of one answer into parts. */
export interface StreamedAnswer {
  /** True once the model said why it stopped: what comes after it can be done without. */
  readonly isFinished: boolean;
  /** The parts of an event. Throws STREAM_INCOMPLETE when it is no JSON, and what the server says went wrong. */
  accept(data: string): readonly ModelPart[];
  /** The last parts. Throws STREAM_INCOMPLETE when the stream ended before the model did. */
  end(): readonly ModelPart[];
}

/** The body of a response that has to be a stream of events. Throws MODEL_REJECTED when it is a page for people. */
export function eventsOf(response: Response): ReadableStream<Uint8Array> {
  const type = response.headers.get('content-type') ?? '';
  if (response.body === null || type.startsWith('text/html')) {
    throw modelRejected(`it answered with ${type === '' ? 'nothing' : type} instead of a stream of events.`);
  }
  return response.body;
}

/**
 * Asks, and reads an answer from a body of server-sent events. The connection is closed when the signal is aborted, when the reader
 * stops reading and when the answer breaks; after a whole answer it serves the next call.
 */
export async function* readAnswer(
  open: () => Promise<ReadableStream<Uint8Array>>,
  answer: StreamedAnswer,
  signal: AbortSignal,
): AsyncGenerator<ModelPart, void> {
  const decoder = new SseDecoder();
  const reader = (await open()).getReader();
  let isOver = false;
  try {
    while (!isOver) {
      const bytes = await read(reader, answer, signal);
      for (const data of bytes === undefined ? decoder.end() : decoder.decode(bytes)) {
        isOver = data.trim() === '[DONE]';
        if (isOver) {
          break;
        }
        for (const part of answer.accept(data)) {
          yield part;
        }
      }
      isOver ||= bytes === undefined;
    }
    yield* answer.end();
  } finally {
    release(reader, answer.isFinished);
  }
}

/** An event's JSON. What is JSON but no object, such as a bare `null`, is an event without anything in it. */
export function parseEvent(data: string): Readonly<Record<string, unknown>> {
  try {
    const event: unknown = JSON.parse(data);
    return typeof event === 'object' && event !== null ? (event as Record<string, unknown>) : {};
  } catch (error) {
    throw streamIncomplete('a chunk is no JSON', error);
  }
}

/** The next bytes; undefined at the end. A connection that breaks after the model's end is an end. */
async function read(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  { isFinished }: StreamedAnswer,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  try {
    const { value } = await reader.read();
    signal.throwIfAborted();
    return value;
  } catch (error) {
    signal.throwIfAborted();
    if (isFinished) {
      return undefined;
    }
    throw streamIncomplete('the connection broke', error);
  }
}

/**
 * Closes the connection, unless the answer is complete: then the rest, usually nothing, is read so that the connection
 * serves the next call. A server that never ends its answer is cut off by fetch's own limit of five minutes.
 */
function release(reader: ReadableStreamDefaultReader<Uint8Array>, isFinished: boolean): void {
  if (!isFinished) {
    reader.cancel().catch(() => undefined);
    return;
  }
  const drain = async (): Promise<void> => {
    while (!(await reader.read()).done) {
      // Nothing in it is wanted.
    }
  };
  drain().catch(() => undefined);
}
