import { type Clock, type IdGenerator, unreachable } from '@spanwise/kernel';
import type { ModelProvider } from '../../domain/model/model-provider.ts';

/** Which providers there are; the first serves every model that names no other. */
export interface ModelProvidersOptions {
  readonly providers: readonly ModelProviderOptions[];
  /** Whether models that reason are asked to tell in short what they think. */
  readonly asksForReasoning: boolean;
  /** Folder in which everything that is asked and answered is recorded; undefined = it is not. */
  readonly recordTo: string | undefined;
}

/** One provider, by the id that stands before the colon in `id:model`. */
export type ModelProviderOptions =
  | {
      readonly kind: 'openai-chat' | 'openai-responses' | 'google';
      readonly id: string;
      /** Undefined = the one of the company. */
      readonly baseUrl: string | undefined;
      /** Undefined: the server asks for none. */
      readonly apiKey: string | undefined;
    }
  /** `module` is a path, a `file:` URL or the name of a package; see {@link loadAiSdkModels}. */
  | { readonly kind: 'ai-sdk'; readonly id: string; readonly module: string }
  /** `path` is a recording or a folder of recordings. */
  | { readonly kind: 'replay'; readonly id: string; readonly path: string; readonly isTimed: boolean };

export interface ModelProvidersDeps {
  readonly clock: Clock;
  readonly ids: Pick<IdGenerator, 'uuid'>;
  /** Folder that the paths of modules are relative to. */
  readonly folder: string;
  /** A recording could not be written. */
  readonly reportLost: (error: unknown) => void;
}

/**
 * Loads the providers that are configured, and no others: their packages take long to load. Throws INVALID_FIELD when a
 * module or a recording can not be used.
 */
export async function createModelProviders(
  { providers, asksForReasoning, recordTo }: ModelProvidersOptions,
  deps: ModelProvidersDeps,
): Promise<readonly ModelProvider[]> {
  const created = await Promise.all(providers.map((options) => createProvider(options, asksForReasoning, deps)));
  return recordTo === undefined ? created : Promise.all(created.map((provider) => recorded(provider, recordTo, deps)));
}

async function createProvider(
  options: ModelProviderOptions,
  asksForReasoning: boolean,
  { folder }: ModelProvidersDeps,
): Promise<ModelProvider> {
  switch (options.kind) {
    case 'openai-chat': {
      const { OpenAiChatProvider } = await import('./openai-chat/openai-chat-provider.ts');
      return new OpenAiChatProvider(options);
    }
    case 'openai-responses': {
      const { OpenAiResponsesProvider } = await import('./openai-responses/openai-responses-provider.ts');
      return new OpenAiResponsesProvider({ ...options, asksForSummaries: asksForReasoning });
    }
    case 'google': {
      const { GoogleProvider } = await import('./google/google-provider.ts');
      return new GoogleProvider({ ...options, asksForThoughts: asksForReasoning });
    }
    case 'ai-sdk': {
      const [{ AiSdkProvider }, { loadAiSdkModels }] = await Promise.all([
        import('./ai-sdk/ai-sdk-provider.ts'),
        import('./ai-sdk/load-ai-sdk-models.ts'),
      ]);
      const models = await loadAiSdkModels({ module: options.module, folder });
      return new AiSdkProvider({ id: options.id, models });
    }
    case 'replay': {
      const [{ ReplayModelProvider }, { readRecordings }] = await Promise.all([
        import('./recorded/replay-model-provider.ts'),
        import('./recorded/recording-folder.ts'),
      ]);
      const { id, isTimed, path } = options;
      return new ReplayModelProvider({ id, isTimed, recordings: await readRecordings(path) });
    }
    default:
      return unreachable(options);
  }
}

async function recorded(
  provider: ModelProvider,
  folder: string,
  { clock, ids, reportLost }: ModelProvidersDeps,
): Promise<ModelProvider> {
  const [{ RecordingModelProvider }, { writeRecording }] = await Promise.all([
    import('./recorded/recording-model-provider.ts'),
    import('./recorded/recording-folder.ts'),
  ]);
  return new RecordingModelProvider({
    provider,
    clock,
    keep: (recording) => writeRecording(folder, recording, ids.uuid()).catch(reportLost),
  });
}
