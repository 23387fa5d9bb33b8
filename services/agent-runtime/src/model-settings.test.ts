import { EnvironmentReader } from '@spanwise/service-kit';
import { describe, expect, it } from 'vitest';
import { readModelProviders } from './model-settings.ts';

const read = (env: Readonly<Record<string, string>>) => readModelProviders(new EnvironmentReader(env));

describe('the model providers', () => {
  it('are those that are named, in their order, each with its own variables', () => {
    const settings = read({
      SPANWISE_MODEL_PROVIDERS: 'google, openai-responses,local=openai-chat,ai-sdk,replay',
      GEMINI_API_KEY: 'AIza-1',
      SPANWISE_MODEL_GOOGLE_BASE_URL: 'http://127.0.0.1:8090',
      OPENAI_API_KEY: 'sk-1',
      SPANWISE_MODEL_LOCAL_BASE_URL: 'http://127.0.0.1:11434/v1',
      SPANWISE_AI_SDK_MODELS: './models.mjs',
      SPANWISE_REPLAY_MODELS: 'recordings',
      SPANWISE_REPLAY_PACE: 'none',
      SPANWISE_REASONING_SUMMARIES: 'off',
      SPANWISE_RECORD_MODELS: '/var/recordings',
    });
    expect(settings).toEqual({
      providers: [
        { kind: 'google', id: 'google', baseUrl: 'http://127.0.0.1:8090', apiKey: 'AIza-1' },
        { kind: 'openai-responses', id: 'openai-responses', baseUrl: undefined, apiKey: 'sk-1' },
        // A server of another name never gets the key of OpenAI.
        { kind: 'openai-chat', id: 'local', baseUrl: 'http://127.0.0.1:11434/v1', apiKey: undefined },
        { kind: 'ai-sdk', id: 'ai-sdk', module: './models.mjs' },
        { kind: 'replay', id: 'replay', path: 'recordings', isTimed: false },
      ],
      asksForReasoning: false,
      recordTo: '/var/recordings',
    });
  });

  it('are those that have settings when none are named', () => {
    const kinds = (env: Readonly<Record<string, string>>) => read(env).providers.map(({ kind }) => kind);
    expect(kinds({ SPANWISE_MODEL_BASE_URL: 'http://127.0.0.1/v1' })).toEqual(['openai-chat']);
    expect(kinds({ GEMINI_API_KEY: 'a', OPENAI_API_KEY: 'b' })).toEqual(['openai-chat', 'google']);
    expect(kinds({ SPANWISE_AI_SDK_MODELS: './m.mjs', SPANWISE_REPLAY_MODELS: 'r' })).toEqual(['ai-sdk', 'replay']);
  });

  it.each([
    ['OPENAI_API_KEY', {}],
    ['OPENAI_API_KEY', { SPANWISE_MODEL_PROVIDERS: 'openai-chat' }],
    ['GEMINI_API_KEY', { SPANWISE_MODEL_PROVIDERS: 'google' }],
    ['SPANWISE_MODEL_MY_VLLM_API_KEY', { SPANWISE_MODEL_PROVIDERS: 'my-vllm=openai-chat', OPENAI_API_KEY: 'sk' }],
    ['SPANWISE_MODEL_GOOGLE_BASE_URL', { SPANWISE_MODEL_PROVIDERS: 'google', SPANWISE_MODEL_GOOGLE_BASE_URL: 'x' }],
    ['SPANWISE_AI_SDK_MODELS', { SPANWISE_MODEL_PROVIDERS: 'ai-sdk' }],
    ['SPANWISE_REPLAY_MODELS', { SPANWISE_MODEL_PROVIDERS: 'replay' }],
    ['SPANWISE_REPLAY_PACE', { SPANWISE_REPLAY_MODELS: 'r', SPANWISE_REPLAY_PACE: 'fast' }],
    ['SPANWISE_MODEL_PROVIDERS', { SPANWISE_MODEL_PROVIDERS: 'anthropic' }],
    ['SPANWISE_MODEL_PROVIDERS', { SPANWISE_MODEL_PROVIDERS: 'A b=openai-chat' }],
    ['SPANWISE_MODEL_PROVIDERS', { SPANWISE_MODEL_PROVIDERS: 'replay,replay', SPANWISE_REPLAY_MODELS: 'r' }],
  ])('name the variable that can not be used: %s of %j', (variable, env) => {
    expect(() => read(env)).toThrow(expect.objectContaining({ facts: { variable } }));
  });
});
