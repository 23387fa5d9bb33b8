import { readToolHostConfig, type ToolHostConfig } from '../src/config.ts';

/** Settings of a tool host of a test: any free port, a database in memory, short times. */
export function testConfig(settings: Partial<ToolHostConfig> = {}): ToolHostConfig {
  const env = { SPANWISE_PORT: '0', SPANWISE_DATABASE_URL: 'sqlite::memory:', SPANWISE_LOG_LEVEL: 'silent' };
  return { ...readToolHostConfig(env), drainMs: 1000, stopMs: 500, ...settings };
}
