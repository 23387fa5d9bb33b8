import { expect, test } from 'vitest';
import { readToolHostConfig } from './config.ts';

test('has a default for everything', () => {
  expect(readToolHostConfig({})).toEqual({
    host: '127.0.0.1',
    port: 7003,
    filesystemUrl: 'http://127.0.0.1:7004',
    logLevel: 'info',
    telemetry: {},
  });
});

test('reads what is set, and of the rest only what is for OpenTelemetry', () => {
  const env = {
    SPANWISE_HOST: '::',
    SPANWISE_PORT: '0',
    SPANWISE_FILESYSTEM_URL: 'http://filesystem:7004',
    SPANWISE_LOG_LEVEL: 'debug',
    OTEL_TRACES_EXPORTER: 'otlp',
    HOME: '/root',
  };
  const config = readToolHostConfig(env);
  expect(config).toEqual({
    host: '::',
    port: 0,
    filesystemUrl: 'http://filesystem:7004',
    logLevel: 'debug',
    telemetry: { OTEL_TRACES_EXPORTER: 'otlp' },
  });
  expect(Object.isFrozen(config)).toBe(true);
});

test.each([
  ['SPANWISE_PORT', '70000'],
  ['SPANWISE_FILESYSTEM_URL', 'filesystem'],
  ['SPANWISE_LOG_LEVEL', 'loud'],
])('names %s when it can not be used', (name, value) => {
  expect(() => readToolHostConfig({ [name]: value })).toThrow(name);
});
