import OpenAI from 'openai';
import { modelRejected, streamIncomplete } from '../../../domain/model/model-errors.ts';
import type { ModelPart } from '../../../domain/model/model-part.ts';
import type { ModelProvider } from '../../../domain/model/model-provider.ts';
import type { ModelRequest } from '../../../domain/model/model-request.ts';
import { ChatAnswer } from './chat-answer.ts';
import { chatRequest } from './chat-request.ts';
import { modelCapabilities } from './model-capabilities.ts';
import { requestError } from './openai-errors.ts';
import { SseDecoder } from './sse-decoder.ts';

const openAiBaseUrl = 'https://api.openai.com/v1';

export interface OpenAiChatOptions {
  /** With its version, for example `http://127.0.0.1:11434/v1`; undefined = OpenAI. */
  readonly baseUrl: string | undefined;
  /** Undefined: the server asks for none. */
  readonly apiKey: string | undefined;
}

/**
 * Chat completions: OpenAI, and every server that speaks the same protocol. The `openai` package sends the request and
 * tells what an answer's status means; the stream itself is decoded here, because that is the hot path.
 */
export class OpenAiChatProvider implements ModelProvider {
  readonly id = 'openai-chat';
  readonly capabilities = modelCapabilities;
  readonly #client: OpenAI;
  readonly #isOpenAi: boolean;

  constructor({ baseUrl, apiKey }: OpenAiChatOptions) {
    this.#isOpenAi = baseUrl === undefined || new URL(baseUrl).hostname.endsWith('openai.com');
    this.#client = new OpenAI({
      apiKey: apiKey ?? 'none',
      // Always told, or the SDK would take one from a variable of its own.
      baseURL: baseUrl ?? openAiBaseUrl,
      // The one retry layer is the application's.
      maxRetries: 0,
      // It would write what it can't parse, which is content, to the console.
      logLevel: 'off',
    });
  }

  async *stream(request: ModelRequest, { signal }: { readonly signal: AbortSignal }): AsyncGenerator<ModelPart, void> {
    const body = await this.#open(request, signal);
    const decoder = new SseDecoder();
    const answer = new ChatAnswer(this.id, request);
    const reader = body.getReader();
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

  async #open(request: ModelRequest, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const response = await this.#client.chat.completions
      .create(chatRequest(request, this.#isOpenAi), { signal })
      .asResponse()
      .catch((error: unknown) => {
        signal.throwIfAborted();
        throw requestError(error);
      });
    const type = response.headers.get('content-type') ?? '';
    if (response.body === null || type.startsWith('text/html')) {
      throw modelRejected(`it answered with ${type === '' ? 'nothing' : type} instead of a stream of events.`);
    }
    return response.body;
  }
}

/** The next bytes; undefined at the end. A connection that breaks after the model's end is an end. */
async function read(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  { isFinished }: ChatAnswer,
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
