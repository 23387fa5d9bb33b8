import OpenAI from 'openai';
import type { ModelPart } from '../../../domain/model/model-part.ts';
import type { ModelProvider } from '../../../domain/model/model-provider.ts';
import type { ModelRequest } from '../../../domain/model/model-request.ts';
import { eventsOf, readAnswer } from '../wire/answer-stream.ts';
import { modelCapabilities } from '../wire/model-capabilities.ts';
import { ChatAnswer } from './chat-answer.ts';
import { chatRequest } from './chat-request.ts';
import { requestError } from './openai-errors.ts';

const openAiBaseUrl = 'https://api.openai.com/v1';

export interface OpenAiChatOptions {
  /** Default `openai-chat`. */
  readonly id?: string;
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
  readonly id: string;
  readonly capabilities = modelCapabilities;
  readonly #client: OpenAI;
  readonly #isOpenAi: boolean;

  constructor({ id = 'openai-chat', baseUrl, apiKey }: OpenAiChatOptions) {
    this.id = id;
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

  stream(request: ModelRequest, { signal }: { readonly signal: AbortSignal }): AsyncGenerator<ModelPart, void> {
    return readAnswer(() => this.#open(request, signal), new ChatAnswer(this.id, request), signal);
  }

  async #open(request: ModelRequest, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const response = await this.#client.chat.completions
      .create(chatRequest(request, this.#isOpenAi), { signal })
      .asResponse()
      .catch((error: unknown) => {
        signal.throwIfAborted();
        throw requestError(error);
      });
    return eventsOf(response);
  }
}
