import { describe, expect, test } from 'vitest';
import { assertMayTrustHeaders, readSessionConfig } from './config.ts';

const mysql = { SPANWISE_DATABASE_URL: 'mysql://db/spanwise' };
const jwt = {
  SPANWISE_AUTH: 'jwt',
  SPANWISE_JWKS_URL: 'https://id.example.org/jwks',
  SPANWISE_JWT_ISSUER: 'https://id.example.org',
  SPANWISE_JWT_AUDIENCE: 'spanwise',
};

describe('settings', () => {
  test('have defaults for a developer’s machine', () => {
    const config = readSessionConfig({});
    expect(config).toEqual({
      ...{ host: '127.0.0.1', port: 7001, databaseUrl: 'sqlite:./.spanwise/session.db', databasePoolSize: 10 },
      ...{ sqliteSync: 'normal', migratesAtStart: true, isAlone: true, runtimeUrl: 'http://127.0.0.1:7002' },
      ...{ runtimeConnections: 4, natsUrl: '', auth: { kind: 'insecure-dev' }, logLevel: 'info' },
      ...{ toolHostUrl: 'http://127.0.0.1:7003', filesystemUrl: 'http://127.0.0.1:7004', advertisedUrl: '' },
      ...{ leaseMs: 15_000, leaseRenewMs: 3000, selfFenceMs: 9000, takeOverMs: 2000 },
      ...{ retainEvents: 100_000, retainDays: undefined, purgeDays: 30, retainEveryMs: 3_600_000 },
      ...{
        cancelPollMs: 1000,
        logPollMs: 1000,
        testWithout: new Set(),
        tokenKeys: [],
        telemetry: {},
        pageTokenKey: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    });
    expect(Object.isFrozen(config)).toBe(true);
    expect(readSessionConfig({}).pageTokenKey).not.toBe(config.pageTokenKey);
  });

  test('are read from their variables', () => {
    const config = readSessionConfig({
      ...{ ...mysql, ...jwt, SPANWISE_HOST: '0.0.0.0', SPANWISE_PORT: '0', SPANWISE_DATABASE_POOL: '3' },
      ...{
        SPANWISE_SQLITE_SYNC: 'full',
        SPANWISE_RUNTIME_URL: 'http://runtime:7002',
        SPANWISE_RUNTIME_CONNECTIONS: '8',
      },
      ...{ SPANWISE_NATS_URL: 'nats://broker', SPANWISE_PAGE_TOKEN_KEY: 'shared', SPANWISE_LOG_LEVEL: 'debug' },
      ...{
        SPANWISE_CANCEL_POLL_MS: '50',
        SPANWISE_LOG_POLL_MS: '20',
        OTEL_TRACES_EXPORTER: 'otlp',
        NODE_ENV: 'production',
      },
      ...{ SPANWISE_RETAIN_EVENTS: '0', SPANWISE_RETAIN_DAYS: '90', SPANWISE_RETAIN_EVERY_MS: '0' },
      ...{ SPANWISE_TOOL_HOST_URL: 'http://tools:7003', SPANWISE_FILESYSTEM_URL: 'http://files:7004' },
      ...{ SPANWISE_ADVERTISED_URL: 'http://session-1:7001', SPANWISE_LEASE_MS: '3000', SPANWISE_TAKE_OVER_MS: '400' },
      SPANWISE_TOKEN_KEY: [1, 2].map((byte) => Buffer.alloc(32, byte).toString('base64')).join(','),
    });
    expect(config).toEqual({
      ...{ host: '0.0.0.0', port: 0, databaseUrl: 'mysql://db/spanwise', databasePoolSize: 3, sqliteSync: 'full' },
      ...{ migratesAtStart: false, isAlone: false, runtimeUrl: 'http://runtime:7002', runtimeConnections: 8 },
      ...{ natsUrl: 'nats://broker', pageTokenKey: 'shared', logLevel: 'debug', cancelPollMs: 50, logPollMs: 20 },
      ...{ retainEvents: undefined, retainDays: 90, purgeDays: 30, retainEveryMs: 0 },
      ...{ toolHostUrl: 'http://tools:7003', filesystemUrl: 'http://files:7004' },
      ...{ advertisedUrl: 'http://session-1:7001', takeOverMs: 400 },
      ...{ leaseMs: 3000, leaseRenewMs: 600, selfFenceMs: 1800 },
      testWithout: new Set(),
      tokenKeys: [Buffer.alloc(32, 1), Buffer.alloc(32, 2)],
      ...{ telemetry: { OTEL_TRACES_EXPORTER: 'otlp' } },
      auth: { kind: 'jwt', jwksUrl: jwt.SPANWISE_JWKS_URL, issuer: jwt.SPANWISE_JWT_ISSUER, audience: 'spanwise' },
    });
  });

  test.each([
    ['auto', {}, true],
    ['always', {}, true],
    ['never', {}, false],
    ['auto', mysql, false],
    ['always', mysql, true],
    ['never', mysql, false],
  ])('SPANWISE_MIGRATE=%s with %o migrates at start: %s', (migrate, database, expected) => {
    const env = { SPANWISE_PAGE_TOKEN_KEY: 'key', SPANWISE_MIGRATE: migrate, ...database };
    expect(readSessionConfig(env).migratesAtStart).toBe(expected);
  });

  test.each([
    ['SPANWISE_PORT', ['-1', '65536', '70.5', 'http']],
    ['SPANWISE_DATABASE_POOL', ['0', '1001', 'many']],
    ['SPANWISE_SQLITE_SYNC', ['FULL', 'off']],
    ['SPANWISE_MIGRATE', ['yes', 'true']],
    ['SPANWISE_RUNTIME_URL', ['runtime', '//runtime']],
    ['SPANWISE_RUNTIME_CONNECTIONS', ['0', '65', 'NaN']],
    ['SPANWISE_AUTH', ['none', 'JWT']],
    ['SPANWISE_CANCEL_POLL_MS', ['49', '60001', '1s']],
    ['SPANWISE_LOG_POLL_MS', ['19', '60001', 'Infinity']],
  ])('%s is named when it can not be used', (variable, values) => {
    for (const value of values) {
      expect(() => readSessionConfig({ [variable]: value })).toThrow(
        expect.objectContaining({
          kind: 'invalid',
          message: expect.stringContaining(`${variable} `),
          facts: { variable },
        }),
      );
    }
  });

  test.each(['SPANWISE_JWKS_URL', 'SPANWISE_JWT_ISSUER', 'SPANWISE_JWT_AUDIENCE'])(
    '%s is needed for jwt',
    (variable) => {
      expect(() => readSessionConfig({ ...jwt, [variable]: '' })).toThrow(
        expect.objectContaining({ facts: { variable } }),
      );
    },
  );

  test.each(['short', Buffer.alloc(31).toString('base64'), `${Buffer.alloc(32).toString('base64')},x`])(
    'SPANWISE_TOKEN_KEY can not be %s',
    (text) => {
      const refused = expect.objectContaining({ facts: { variable: 'SPANWISE_TOKEN_KEY' } });
      expect(() => readSessionConfig({ SPANWISE_TOKEN_KEY: text })).toThrow(refused);
    },
  );

  test('SPANWISE_PAGE_TOKEN_KEY is needed when replicas share a database', () => {
    const refused = expect.objectContaining({ facts: { variable: 'SPANWISE_PAGE_TOKEN_KEY' } });
    expect(() => readSessionConfig(mysql)).toThrow(refused);
  });
});

describe('believing headers', () => {
  const refused = expect.objectContaining({ kind: 'invalid', facts: { variable: 'SPANWISE_AUTH' } });

  test.each(['127.0.0.1', '127.8.8.8', '::1', 'localhost'])('is for a loopback address like %s', (host) => {
    expect(readSessionConfig({ SPANWISE_HOST: host }).auth).toEqual({ kind: 'insecure-dev' });
  });

  test.each(['0.0.0.0', '::', '10.0.0.1', 'example.org', 'localhost.example.org'])('is refused on %s', (host) => {
    expect(() => readSessionConfig({ SPANWISE_HOST: host })).toThrow(refused);
  });

  test('is refused in production, also on a loopback address', () => {
    expect(() => readSessionConfig({ NODE_ENV: 'production' })).toThrow(refused);
    expect(() => assertMayTrustHeaders('127.0.0.1', 'production')).toThrow(refused);
  });
});

test('a guard can be taken away for a test, and never in production', () => {
  const env = { SPANWISE_TEST_WITHOUT: 'announcesAttempt,nonRepeatableAtMostOnce,other' };
  expect(readSessionConfig(env).testWithout).toEqual(new Set(['announcesAttempt', 'nonRepeatableAtMostOnce']));
  expect(() => readSessionConfig({ ...env, ...jwt, NODE_ENV: 'production' })).toThrow('SPANWISE_TEST_WITHOUT');
});
