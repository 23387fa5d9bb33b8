import { badSetting, type EnvironmentReader } from '@spanwise/service-kit';
import type {
  ModelProviderOptions,
  ModelProvidersOptions,
} from './infrastructure/model-providers/create-model-providers.ts';

const kinds = ['openai-chat', 'openai-responses', 'google', 'ai-sdk', 'replay'] as const;
type Kind = (typeof kinds)[number];

/** Variables that a kind has of its own, so that the common case needs no others. */
const ownVariables: Readonly<Record<string, { readonly baseUrl?: string; readonly apiKey: string }>> = {
  'openai-chat': { baseUrl: 'SPANWISE_MODEL_BASE_URL', apiKey: 'OPENAI_API_KEY' },
  'openai-responses': { apiKey: 'OPENAI_API_KEY' },
  google: { apiKey: 'GEMINI_API_KEY' },
};

/**
 * Reads which model providers there are.
 *
 * - `SPANWISE_MODEL_PROVIDERS` kinds, or `id=kind`, separated by commas; default those that have settings
 * - `SPANWISE_MODEL_<ID>_BASE_URL`, `SPANWISE_MODEL_<ID>_API_KEY` of the provider with that id
 * - `SPANWISE_AI_SDK_MODELS`, `SPANWISE_REPLAY_MODELS` module of the models of `ai-sdk`, recordings of `replay`
 * - `SPANWISE_REPLAY_PACE` `recorded` (default) or `none`
 * - `SPANWISE_REASONING_SUMMARIES` `auto` (default) or `off`
 * - `SPANWISE_RECORD_MODELS` folder for recordings
 */
export function readModelProviders(reader: EnvironmentReader): ModelProvidersOptions {
  const named = reader.optional('SPANWISE_MODEL_PROVIDERS');
  const names = named === undefined ? withSettings(reader) : named.split(',').map((name) => name.trim());
  const providers = names.filter((name) => name !== '').map((name) => readProvider(name, reader));
  if (providers.length === 0) {
    throw badSetting('OPENAI_API_KEY', 'must be set, or SPANWISE_MODEL_BASE_URL or SPANWISE_MODEL_PROVIDERS');
  }
  const twice = providers.find(({ id }, index) => providers.findIndex((other) => other.id === id) !== index);
  if (twice !== undefined) {
    throw badSetting('SPANWISE_MODEL_PROVIDERS', `names ${twice.id} twice`);
  }
  return Object.freeze({
    providers: Object.freeze(providers),
    asksForReasoning: reader.choice('SPANWISE_REASONING_SUMMARIES', ['auto', 'off'], 'auto') === 'auto',
    recordTo: reader.optional('SPANWISE_RECORD_MODELS'),
  });
}

/** What the settings of each kind are told by. */
function withSettings(reader: EnvironmentReader): readonly string[] {
  const tells: Readonly<Record<string, readonly string[]>> = {
    'openai-chat': ['OPENAI_API_KEY', 'SPANWISE_MODEL_BASE_URL'],
    google: ['GEMINI_API_KEY'],
    'ai-sdk': ['SPANWISE_AI_SDK_MODELS'],
    replay: ['SPANWISE_REPLAY_MODELS'],
  };
  return Object.keys(tells).filter((kind) => tells[kind]?.some((name) => reader.optional(name) !== undefined));
}

function readProvider(name: string, reader: EnvironmentReader): ModelProviderOptions {
  const [id = '', named = id] = name.split('=').map((part) => part.trim());
  const kind = kinds.find((each) => each === named);
  if (kind === undefined || !/^[a-z][a-z0-9-]*$/.test(id)) {
    const rule = `names ${name}, and each has to be one of ${kinds.join(', ')}, or a name for it as in local=openai-chat`;
    throw badSetting('SPANWISE_MODEL_PROVIDERS', rule);
  }
  switch (kind) {
    case 'ai-sdk':
      return { kind, id, module: needed(reader, 'SPANWISE_AI_SDK_MODELS', kind) };
    case 'replay': {
      const isTimed = reader.choice('SPANWISE_REPLAY_PACE', ['recorded', 'none'], 'recorded') === 'recorded';
      return { kind, id, path: needed(reader, 'SPANWISE_REPLAY_MODELS', kind), isTimed };
    }
    default:
      return readServer(id, kind, reader);
  }
}

/** A provider that takes its kind's name also takes its kind's variables. */
function readServer(id: string, kind: Exclude<Kind, 'ai-sdk' | 'replay'>, reader: EnvironmentReader) {
  const own = id === kind ? ownVariables[kind] : undefined;
  const prefix = `SPANWISE_MODEL_${id.toUpperCase().replaceAll('-', '_')}`;
  const baseUrl = readUrl(reader, `${prefix}_BASE_URL`) ?? (own?.baseUrl && readUrl(reader, own.baseUrl));
  const apiKey = reader.optional(`${prefix}_API_KEY`) ?? (own && reader.optional(own.apiKey));
  if (baseUrl === undefined && apiKey === undefined) {
    throw badSetting(own?.apiKey ?? `${prefix}_API_KEY`, `must be set, or ${own?.baseUrl ?? `${prefix}_BASE_URL`}`);
  }
  return Object.freeze({ kind, id, baseUrl, apiKey });
}

function readUrl(reader: EnvironmentReader, name: string): string | undefined {
  return reader.optional(name) === undefined ? undefined : reader.url(name, '');
}

function needed(reader: EnvironmentReader, name: string, kind: Kind): string {
  const value = reader.optional(name);
  if (value === undefined) {
    throw badSetting(name, `must be set for the model provider ${kind}`);
  }
  return value;
}
