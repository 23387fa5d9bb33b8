import { expect, test } from 'vitest';
import { readFilesystemConfig, shippedViewFile } from './config.ts';

test('has defaults for everything', () => {
  expect(readFilesystemConfig({})).toEqual({
    host: '127.0.0.1',
    port: 7004,
    databaseUrl: 'sqlite:./.spanwise/filesystem.db',
    databasePoolSize: 10,
    migratesAtStart: true,
    viewFile: shippedViewFile,
    retainEveryMs: 3_600_000,
    logLevel: 'info',
    telemetry: {},
    secret: expect.any(Function),
  });
});

test('reads what is set', () => {
  const config = readFilesystemConfig({
    SPANWISE_HOST: '0.0.0.0',
    SPANWISE_PORT: '0',
    SPANWISE_DATABASE_URL: 'mysql://root@127.0.0.1/fs',
    SPANWISE_DATABASE_POOL: '3',
    SPANWISE_FS_VIEW: '/etc/view.yaml',
    SPANWISE_RETAIN_EVERY_MS: '0',
    SPANWISE_LOG_LEVEL: 'silent',
    OTEL_SDK_DISABLED: 'true',
    HOME: '/root',
    FILES_TOKEN: 'a token',
  });
  expect(config).toEqual({
    host: '0.0.0.0',
    port: 0,
    databaseUrl: 'mysql://root@127.0.0.1/fs',
    databasePoolSize: 3,
    migratesAtStart: false,
    viewFile: '/etc/view.yaml',
    retainEveryMs: 0,
    logLevel: 'silent',
    telemetry: { OTEL_SDK_DISABLED: 'true' },
    secret: expect.any(Function),
  });
  expect(['FILES_TOKEN', 'OTHER_TOKEN'].map((variable) => config.secret?.(variable))).toEqual(['a token', undefined]);
});

test('migrates MySQL at start only when told to, SQLite unless told not to', () => {
  const migrates = (url: string, choice: string) =>
    readFilesystemConfig({ SPANWISE_DATABASE_URL: url, SPANWISE_MIGRATE: choice }).migratesAtStart;
  expect(['auto', 'always', 'never'].map((choice) => migrates('sqlite:x', choice))).toEqual([true, true, false]);
  expect(['auto', 'always', 'never'].map((choice) => migrates('mysql://x', choice))).toEqual([false, true, false]);
});

test.each([
  ['SPANWISE_PORT', '70000'],
  ['SPANWISE_DATABASE_URL', 'postgres://x'],
  ['SPANWISE_DATABASE_URL', 'sqlite:'],
  ['SPANWISE_MIGRATE', 'maybe'],
  ['SPANWISE_LOG_LEVEL', 'loud'],
])('refuses %s=%s, naming it', (name, value) => {
  expect(() => readFilesystemConfig({ [name]: value })).toThrow(name);
});
