import { GoogleGenAI } from '@google/genai/web';
import { DomainError } from '@spanwise/kernel';
import { modelUnavailable } from '../../../domain/model/model-errors.ts';
import type { ModelPart } from '../../../domain/model/model-part.ts';
import type { ModelProvider } from '../../../domain/model/model-provider.ts';
import type { ModelRequest } from '../../../domain/model/model-request.ts';
import { eventsOf, readAnswer } from '../wire/answer-stream.ts';
import { modelCapabilities } from '../wire/model-capabilities.ts';
import { GoogleAnswer } from './google-answer.ts';
import { responseError } from './google-errors.ts';
import { googleRequest } from './google-request.ts';

const googleBaseUrl = 'https://generativelanguage.googleapis.com';

export interface GoogleOptions {
  /** Default `google`. */
  readonly id?: string;
  /** Without the version; undefined = Google's own. */
  readonly baseUrl: string | undefined;
  /** Undefined: the server asks for none. */
  readonly apiKey: string | undefined;
  /** Whether models that think are asked to tell in short what they think. */
  readonly asksForThoughts: boolean;
}

/**
 * Gemini, by its own API. The `@google/genai` package makes the request; the stream is decoded here, because the package
 * loses events behind comments, leaves connections open and asks again by itself. Its build for the web does the same as
 * the one for Node without Google Cloud's sign-in, and loads in a quarter of the time.
 */
export class GoogleProvider implements ModelProvider {
  readonly id: string;
  readonly capabilities = modelCapabilities;
  readonly #options: GoogleOptions;

  constructor(options: GoogleOptions) {
    this.id = options.id ?? 'google';
    this.#options = options;
  }

  stream(request: ModelRequest, { signal }: { readonly signal: AbortSignal }): AsyncGenerator<ModelPart, void> {
    return readAnswer(() => this.#open(request, signal), new GoogleAnswer(this.id, request), signal);
  }

  async #open(request: ModelRequest, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const { baseUrl, apiKey, asksForThoughts } = this.#options;
    signal.throwIfAborted();
    let body: ReadableStream<Uint8Array> | undefined;
    // A client is a few objects; one a call, because the body of its answer is taken here.
    const client = new GoogleGenAI({
      apiKey: apiKey ?? 'none',
      httpOptions: {
        baseUrl: baseUrl ?? googleBaseUrl,
        // Previews of models come here first. Always told, because the package's own default changes.
        apiVersion: 'v1beta',
        fetch: async (input, init) => {
          const response = await fetch(input, { ...init, signal });
          if (!response.ok) {
            throw await responseError(response);
          }
          body = eventsOf(response);
          return new Response('');
        },
      },
    });
    try {
      await client.models.generateContentStream(googleRequest(request, this.id, asksForThoughts));
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof DomainError ? error : modelUnavailable('it could not be reached', undefined, error);
    }
    if (body === undefined) {
      throw modelUnavailable('it could not be asked');
    }
    return body;
  }
}
