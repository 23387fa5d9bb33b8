import { startMariaDb, startNats, type ThrowawayServer } from '../packages/testing/src/index.ts';

/**
 * Gives the test run a database and a broker: those that SPANWISE_TEST_MYSQL_URL and SPANWISE_TEST_NATS_URL name, else
 * throw-away ones from installed programs. Where there are none their suites are skipped, or, with CI=true, all fails.
 */
export default async function setup(): Promise<() => Promise<void>> {
  const started = await Promise.all([
    provide('SPANWISE_TEST_MYSQL_URL', 'MariaDB (mariadbd)', startMariaDb),
    provide('SPANWISE_TEST_NATS_URL', 'NATS (nats-server)', startNats),
  ]);
  return async () => {
    for (const server of started) {
      await server?.[Symbol.asyncDispose]();
    }
  };
}

async function provide(variable: string, name: string, start: () => Promise<ThrowawayServer | undefined>) {
  if (process.env[variable]) {
    return undefined;
  }
  const server = await start();
  if (server !== undefined) {
    process.env[variable] = server.url;
    return server;
  }
  if (process.env.CI === 'true') {
    throw new Error(`${name} is not installed, and in CI nothing may be skipped`);
  }
  console.warn(`${name} is not installed: its suites are skipped. Set ${variable} to use a server elsewhere.`);
  return undefined;
}
