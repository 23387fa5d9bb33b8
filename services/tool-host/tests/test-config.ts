import { readToolHostConfig, type ToolHostConfig } from '../src/config.ts';

/** Settings of a tool host of a test: any free port, a database in memory, short times, no sandbox. */
export function testConfig(settings: Partial<ToolHostConfig> = {}): ToolHostConfig {
  const env = { SPANWISE_PORT: '0', SPANWISE_DATABASE_URL: 'sqlite::memory:', SPANWISE_LOG_LEVEL: 'silent' };
  // A sandbox starts a process to be checked: only tests of `bash` want one.
  return { ...readToolHostConfig(env), sandbox: 'off', drainMs: 1000, stopMs: 500, ...settings };
}
