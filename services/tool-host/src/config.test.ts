import { expect, test } from 'vitest';
import { readToolHostConfig } from './config.ts';

const defaults = {
  databaseUrl: 'sqlite:./.spanwise/tool-host.db',
  databasePoolSize: 10,
  sqliteSync: 'normal',
  migratesAtStart: true,
  isAlone: true,
  advertisedUrl: undefined,
  leaseMs: 15_000,
  leaseRenewMs: 3000,
  askExpiryMs: 86_400_000,
  drainMs: 120_000,
  stopMs: 5000,
};

test('has a default for everything', () => {
  expect(readToolHostConfig({})).toEqual({
    ...defaults,
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
    SPANWISE_DATABASE_URL: 'mysql://root@db/tools',
    SPANWISE_DATABASE_POOL: '20',
    SPANWISE_SQLITE_SYNC: 'full',
    SPANWISE_ADVERTISED_URL: 'http://10.0.0.7:7003',
    SPANWISE_LEASE_MS: '3000',
    SPANWISE_LEASE_RENEW_MS: '600',
    SPANWISE_ASK_EXPIRY_MS: '60000',
    SPANWISE_DRAIN_MS: '0',
    SPANWISE_STOP_MS: '100',
    SPANWISE_LOG_LEVEL: 'debug',
    OTEL_TRACES_EXPORTER: 'otlp',
    HOME: '/root',
  };
  const config = readToolHostConfig(env);
  expect(config).toEqual({
    host: '::',
    port: 0,
    filesystemUrl: 'http://filesystem:7004',
    databaseUrl: 'mysql://root@db/tools',
    databasePoolSize: 20,
    sqliteSync: 'full',
    migratesAtStart: false,
    isAlone: false,
    advertisedUrl: 'http://10.0.0.7:7003',
    leaseMs: 3000,
    leaseRenewMs: 600,
    askExpiryMs: 60_000,
    drainMs: 0,
    stopMs: 100,
    logLevel: 'debug',
    telemetry: { OTEL_TRACES_EXPORTER: 'otlp' },
  });
  expect(Object.isFrozen(config)).toBe(true);
});

test.each([
  ['SPANWISE_PORT', '70000'],
  ['SPANWISE_FILESYSTEM_URL', 'filesystem'],
  ['SPANWISE_LOG_LEVEL', 'loud'],
  ['SPANWISE_ADVERTISED_URL', 'here'],
  ['SPANWISE_LEASE_RENEW_MS', '6000'],
  ['SPANWISE_MIGRATE', 'yes'],
])('names %s when it can not be used', (name, value) => {
  expect(() => readToolHostConfig({ [name]: value })).toThrow(name);
});
