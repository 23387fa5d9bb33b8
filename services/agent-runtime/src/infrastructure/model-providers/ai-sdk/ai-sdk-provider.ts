import type { LanguageModelV4, LanguageModelV4StreamPart } from '@ai-sdk/provider';
import { modelRejected, streamIncomplete } from '../../../domain/model/model-errors.ts';
import type { ModelPart } from '../../../domain/model/model-part.ts';
import type { ModelCapabilities, ModelProvider } from '../../../domain/model/model-provider.ts';
import type { ModelRequest } from '../../../domain/model/model-request.ts';
import { modelCapabilities } from '../wire/model-capabilities.ts';
import { AiSdkAnswer } from './ai-sdk-answer.ts';
import { requestError } from './ai-sdk-errors.ts';
import { aiSdkRequest } from './ai-sdk-request.ts';

export interface AiSdkOptions {
  /** Default `ai-sdk`. */
  readonly id?: string;
  /** By the names that agents use. */
  readonly models: ReadonlyMap<string, LanguageModelV4>;
}

/** Language models of the Vercel AI SDK, version 4 of their interface: all providers that there are packages for. */
export class AiSdkProvider implements ModelProvider {
  readonly id: string;
  readonly #models: ReadonlyMap<string, LanguageModelV4>;

  constructor({ id = 'ai-sdk', models }: AiSdkOptions) {
    this.id = id;
    this.#models = models;
  }

  /** Those of the model that it stands for, as far as they are known. */
  capabilities(model: string): ModelCapabilities {
    return modelCapabilities(this.#models.get(model)?.modelId ?? model);
  }

  async *stream(request: ModelRequest, { signal }: { readonly signal: AbortSignal }): AsyncGenerator<ModelPart, void> {
    const connection = new AbortController();
    const reader = (await this.#open(request, connection, signal)).getReader();
    const answer = new AiSdkAnswer(this.id, request);
    const close = () => closeConnection(reader, connection);
    signal.addEventListener('abort', close, { once: true });
    try {
      for (let next = await read(reader, signal); next !== undefined; next = await read(reader, signal)) {
        for (const part of answer.accept(next)) {
          yield part;
        }
        if (answer.isFinished) {
          break;
        }
      }
      yield* answer.end();
    } finally {
      signal.removeEventListener('abort', close);
      close();
    }
  }

  async #open(request: ModelRequest, connection: AbortController, signal: AbortSignal) {
    signal.throwIfAborted();
    const abort = () => connection.abort(signal.reason);
    const model = this.#models.get(request.model);
    if (model === undefined) {
      const names = [...this.#models.keys()].join(', ');
      throw modelRejected(`there is no model ${request.model} among those that are configured: ${names}.`);
    }
    signal.addEventListener('abort', abort, { once: true });
    try {
      const { stream, response } = await model.doStream(aiSdkRequest(request, this.id, connection.signal));
      const type = response?.headers?.['content-type'] ?? '';
      if (type.startsWith('text/html')) {
        stream.cancel().catch(() => undefined);
        throw modelRejected(`it answered with ${type} instead of a stream of events.`);
      }
      return stream;
    } catch (error) {
      signal.throwIfAborted();
      throw requestError(error);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }
}

/**
 * Cancels the stream, which closes the connection, before the signal is aborted, for models that heed only that. In the
 * other order a chain of transforms between the two rejects a promise that nobody can handle, which ends the process.
 */
function closeConnection(reader: ReadableStreamDefaultReader<unknown>, connection: AbortController): void {
  const abort = () => connection.abort();
  reader.cancel().then(abort, abort);
}

/** The next part; undefined at the end. */
async function read(
  reader: ReadableStreamDefaultReader<LanguageModelV4StreamPart>,
  signal: AbortSignal,
): Promise<LanguageModelV4StreamPart | undefined> {
  try {
    const { value } = await untilAborted(reader.read(), signal);
    return value;
  } catch (error) {
    signal.throwIfAborted();
    throw streamIncomplete('the connection broke', error);
  }
}

/** A model that does not heed its signal is not waited for. */
async function untilAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    const value = await Promise.race([promise, aborted]);
    signal.throwIfAborted();
    return value;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
