import { describe, expect, it } from 'vitest';
import { readAgentRuntimeConfig, shippedAgentsDir } from './config.ts';

describe('the settings', () => {
  it('have defaults for everything but the model API', () => {
    expect(readAgentRuntimeConfig({ OPENAI_API_KEY: 'sk-1' })).toEqual({
      host: '127.0.0.1',
      port: 7002,
      toolHostUrl: 'http://127.0.0.1:7003',
      filesystemUrl: 'http://127.0.0.1:7004',
      model: {
        name: undefined,
        providers: [{ kind: 'openai-chat', id: 'openai-chat', baseUrl: undefined, apiKey: 'sk-1' }],
        asksForReasoning: true,
        recordTo: undefined,
      },
      agentsDir: shippedAgentsDir,
      natsUrl: undefined,
      drainMs: 60_000,
      logLevel: 'info',
      otel: {},
    });
  });

  it('are read from the environment', () => {
    const config = readAgentRuntimeConfig({
      SPANWISE_HOST: '0.0.0.0',
      SPANWISE_PORT: '0',
      SPANWISE_TOOL_HOST_URL: 'http://tool-host:7003',
      SPANWISE_FILESYSTEM_URL: 'http://filesystem:7004',
      SPANWISE_MODEL_BASE_URL: 'http://127.0.0.1:11434/v1',
      SPANWISE_MODEL: 'qwen3',
      SPANWISE_AGENTS_DIR: '/etc/agents',
      SPANWISE_NATS_URL: 'nats://nats:4222',
      SPANWISE_DRAIN_MS: '5000',
      SPANWISE_LOG_LEVEL: 'debug',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
      PATH: '/bin',
    });
    expect(config).toEqual({
      host: '0.0.0.0',
      port: 0,
      toolHostUrl: 'http://tool-host:7003',
      filesystemUrl: 'http://filesystem:7004',
      model: {
        name: 'qwen3',
        providers: [
          { kind: 'openai-chat', id: 'openai-chat', baseUrl: 'http://127.0.0.1:11434/v1', apiKey: undefined },
        ],
        asksForReasoning: true,
        recordTo: undefined,
      },
      agentsDir: '/etc/agents',
      natsUrl: 'nats://nats:4222',
      drainMs: 5_000,
      logLevel: 'debug',
      otel: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' },
    });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it.each([
    ['OPENAI_API_KEY', {}],
    ['SPANWISE_PORT', { OPENAI_API_KEY: 'x', SPANWISE_PORT: '70000' }],
    ['SPANWISE_MODEL_BASE_URL', { SPANWISE_MODEL_BASE_URL: 'localhost' }],
    ['SPANWISE_DRAIN_MS', { OPENAI_API_KEY: 'x', SPANWISE_DRAIN_MS: '-1' }],
    ['SPANWISE_LOG_LEVEL', { OPENAI_API_KEY: 'x', SPANWISE_LOG_LEVEL: 'loud' }],
  ])('name the variable that can not be used: %s', (variable, env) => {
    expect(() => readAgentRuntimeConfig(env)).toThrow(expect.objectContaining({ facts: { variable } }));
  });
});
