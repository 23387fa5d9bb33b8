import { availableParallelism } from 'node:os';
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
  auditDays: 365,
  drainMs: 120_000,
  stopMs: 5000,
  egressAllow: [],
  toolModules: [],
  toolProviders: [],
  sandbox: 'virtual',
  sandboxSlots: availableParallelism() * 4,
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
    SPANWISE_AUDIT_DAYS: '30',
    SPANWISE_DRAIN_MS: '0',
    SPANWISE_STOP_MS: '100',
    SPANWISE_SANDBOX: 'namespaced',
    SPANWISE_SANDBOX_SLOTS: '3',
    SPANWISE_EGRESS_ALLOW: 'internal.example.com, 10.1.0.0/16,localhost:8080',
    SPANWISE_TOOLS: './a.ts, @acme/tools',
    SPANWISE_TOOL_PROVIDERS: 'billing=http://billing:7010,crm-2=https://crm',
    SPANWISE_LOG_LEVEL: 'debug',
    OTEL_TRACES_EXPORTER: 'otlp',
    HOME: '/root',
  };
  const config = readToolHostConfig(env);
  expect(config).toEqual({
    host: '::',
    toolModules: ['./a.ts', '@acme/tools'],
    toolProviders: [
      { name: 'billing', url: 'http://billing:7010' },
      { name: 'crm-2', url: 'https://crm' },
    ],
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
    auditDays: 30,
    drainMs: 0,
    stopMs: 100,
    egressAllow: ['internal.example.com', '10.1.0.0/16', 'localhost:8080'],
    sandbox: 'namespaced',
    sandboxSlots: 3,
    logLevel: 'debug',
    telemetry: { OTEL_TRACES_EXPORTER: 'otlp' },
  });
  expect(Object.isFrozen(config)).toBe(true);
});

test('has no web at all when it is switched off', () => {
  const env = { SPANWISE_EGRESS: 'off', SPANWISE_EGRESS_ALLOW: 'localhost' };
  expect(readToolHostConfig(env).egressAllow).toBe(undefined);
});

test.each([
  ['SPANWISE_PORT', '70000'],
  ['SPANWISE_FILESYSTEM_URL', 'filesystem'],
  ['SPANWISE_LOG_LEVEL', 'loud'],
  ['SPANWISE_ADVERTISED_URL', 'here'],
  ['SPANWISE_LEASE_RENEW_MS', '6000'],
  ['SPANWISE_MIGRATE', 'yes'],
  ['SPANWISE_TOOL_PROVIDERS', 'http://billing:7010'],
  ['SPANWISE_TOOL_PROVIDERS', 'bill__ing=http://billing:7010'],
  ['SPANWISE_TOOL_PROVIDERS', 'a=http://x,a=http://y'],
  ['SPANWISE_EGRESS', 'no'],
  ['SPANWISE_EGRESS_ALLOW', 'localhost,http://localhost'],
  ['SPANWISE_SANDBOX', 'docker'],
  ['SPANWISE_SANDBOX_SLOTS', '0'],
])('names %s when it can not be used', (name, value) => {
  expect(() => readToolHostConfig({ [name]: value })).toThrow(name);
});
