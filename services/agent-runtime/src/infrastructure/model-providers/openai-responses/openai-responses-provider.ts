import OpenAI from 'openai';
import type { ModelPart } from '../../../domain/model/model-part.ts';
import type { ModelProvider } from '../../../domain/model/model-provider.ts';
import type { ModelRequest } from '../../../domain/model/model-request.ts';
import { requestError } from '../openai-chat/openai-errors.ts';
import { eventsOf, readAnswer } from '../wire/answer-stream.ts';
import { modelCapabilities } from '../wire/model-capabilities.ts';
import { ResponsesAnswer } from './responses-answer.ts';
import { responsesRequest } from './responses-request.ts';

const openAiBaseUrl = 'https://api.openai.com/v1';

export interface OpenAiResponsesOptions {
  /** Default `openai-responses`. */
  readonly id?: string;
  /** With its version; undefined = OpenAI. */
  readonly baseUrl: string | undefined;
  /** Undefined: the server asks for none. */
  readonly apiKey: string | undefined;
  /** Whether models are asked to tell in short how they reason. OpenAI allows it to verified organisations only. */
  readonly asksForSummaries: boolean;
}

/**
 * OpenAI's responses API, without a conversation on the server. The `openai` package sends the request and tells what an
 * answer's status means; the stream itself is decoded here, because that is the hot path.
 */
export class OpenAiResponsesProvider implements ModelProvider {
  readonly id: string;
  readonly capabilities = modelCapabilities;
  readonly #client: OpenAI;
  readonly #asksForSummaries: boolean;

  constructor({ id = 'openai-responses', baseUrl, apiKey, asksForSummaries }: OpenAiResponsesOptions) {
    this.id = id;
    this.#asksForSummaries = asksForSummaries;
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
    return readAnswer(() => this.#open(request, signal), new ResponsesAnswer(this.id, request), signal);
  }

  async #open(request: ModelRequest, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const response = await this.#client.responses
      .create(responsesRequest(request, this.id, this.#asksForSummaries), { signal })
      .asResponse()
      .catch((error: unknown) => {
        signal.throwIfAborted();
        throw requestError(error);
      });
    return eventsOf(response);
  }
}
