import { fileURLToPath } from 'node:url';
import { type Environment, EnvironmentReader } from '@spanwise/service-kit';
import type { ModelProvidersOptions } from './infrastructure/model-providers/create-model-providers.ts';
import { readModelProviders } from './model-settings.ts';

/** Settings of one agent-runtime process. */
export interface AgentRuntimeConfig {
  /** Address to listen at: `SPANWISE_HOST`, default 127.0.0.1. */
  readonly host: string;
  /** Port: `SPANWISE_PORT`, default 7002; 0 = any free one. */
  readonly port: number;
  /** Where tool-host is: `SPANWISE_TOOL_HOST_URL`, default http://127.0.0.1:7003. */
  readonly toolHostUrl: string;
  /** Where filesystem is: `SPANWISE_FILESYSTEM_URL`, default http://127.0.0.1:7004. */
  readonly filesystemUrl: string;
  /** Model providers and the model of all agents; see {@link readModelProviders}. */
  readonly model: ModelConfig;
  /** Folder of the agents' YAML files: `SPANWISE_AGENTS_DIR`, default the shipped ones. */
  readonly agentsDir: string;
  /** Broker on which cancels are announced: `SPANWISE_NATS_URL`; undefined = cancels come over the Run stream only. */
  readonly natsUrl: string | undefined;
  /** Time for the turns that go on at a shutdown, in milliseconds: `SPANWISE_DRAIN_MS`, default 60,000; 0 = none. */
  readonly drainMs: number;
  /** `SPANWISE_LOG_LEVEL`: debug, info (default), warn, error or silent. */
  readonly logLevel: LogLevel;
  /** The `OTEL_*` variables, which configure tracing. */
  readonly otel: Environment;
}

/** The models that agents use. */
export interface ModelConfig extends ModelProvidersOptions {
  /** `SPANWISE_MODEL`: the model of all agents, whatever their files say; a run that names a model still gets that one. */
  readonly name: string | undefined;
}

export type LogLevel = (typeof logLevels)[number];

const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;

/** The agents that come with the service. */
export const shippedAgentsDir = fileURLToPath(new URL('../agents', import.meta.url));

/** Reads the settings from environment variables. Throws with the name of the variable that can not be used. */
export function readAgentRuntimeConfig(env: Environment = process.env): AgentRuntimeConfig {
  const reader = new EnvironmentReader(env);
  const model = { name: reader.optional('SPANWISE_MODEL'), ...readModelProviders(reader) };
  return Object.freeze({
    host: reader.text('SPANWISE_HOST', '127.0.0.1'),
    port: reader.integer('SPANWISE_PORT', 7002, { min: 0, max: 65_535 }),
    toolHostUrl: reader.url('SPANWISE_TOOL_HOST_URL', 'http://127.0.0.1:7003'),
    filesystemUrl: reader.url('SPANWISE_FILESYSTEM_URL', 'http://127.0.0.1:7004'),
    model: Object.freeze(model),
    agentsDir: reader.text('SPANWISE_AGENTS_DIR', shippedAgentsDir),
    natsUrl: reader.optional('SPANWISE_NATS_URL'),
    drainMs: reader.integer('SPANWISE_DRAIN_MS', 60_000, { min: 0, max: 3_600_000 }),
    logLevel: reader.choice('SPANWISE_LOG_LEVEL', logLevels, 'info'),
    otel: Object.freeze(Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith('OTEL_')))),
  });
}
