import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readAgentRuntimeConfig } from '@spanwise/agent-runtime/config';
import { readFilesystemConfig } from '@spanwise/filesystem/config';
import { readSessionConfig } from '@spanwise/session/config';
import { readToolHostConfig } from '@spanwise/tool-host/config';
import { describe, expect, test } from 'vitest';
import {
  composeVariables,
  dockerfileOf,
  environmentOf,
  lastOf,
  readCompose,
  readEnvFile,
  readStages,
  readText,
  root,
  type ServiceName,
  servicePorts,
  services,
} from './deploy-files.ts';

/** Where others may call each container. */
const listening: Readonly<Record<string, number>> = {
  ...servicePorts,
  mysql: 3306,
  nats: 4222,
  jaeger: 4318,
  'dev-identity': 8080,
};

const example = readEnvFile('deploy/compose/.env.example');
const filledIn = {
  ...example,
  OPENAI_API_KEY: 'sk-test',
  SPANWISE_PAGE_TOKEN_KEY: 'k',
  MYSQL_ROOT_PASSWORD: 'r',
  MYSQL_PASSWORD: 'p',
};
const withDatabase = ['session', 'tool-host', 'filesystem'] as const;
const compose = readCompose(filledIn);
const containers = Object.entries(compose.services);
const isExact = (image: string) => /:\d+\.\d+\.\d+(-[a-z0-9-]+)?$/.test(image);
const imageOf = (service: ServiceName) => readStages(dockerfileOf(service)).at(-1) ?? [];
/** What a process in the container sees. */
const environment = (service: ServiceName) => ({
  ...environmentOf(imageOf(service)),
  ...compose.services[service]?.environment,
});

/** A time that a source file has as `const name = 1_000;`. */
function constant(path: string, name: string): number {
  const [, value] = new RegExp(`const ${name} = ([\\d_]+);`).exec(readText(path)) ?? [];
  return Number(value?.replaceAll('_', ''));
}

/** `30s` or `3m` in milliseconds. */
function durationMs(text = ''): number {
  const [, count, unit] = /^(\d+)([sm])$/.exec(text) ?? [];
  return Number(count) * (unit === 'm' ? 60_000 : 1000);
}

describe('compose.yaml', () => {
  test('pins images of others to an exact version, and builds ours', () => {
    const foreign = containers.filter(([, { build }]) => build === undefined);
    expect(foreign.map(([name]) => name).sort()).toEqual(['dev-identity', 'jaeger', 'mysql', 'nats']);
    expect(foreign.filter(([, { image }]) => !isExact(image))).toEqual([]);
    const built = containers.filter(([, { build }]) => build !== undefined);
    for (const [name, { build, image }] of built) {
      const service = name.replace(/-migration$/, '') as ServiceName;
      expect([build, image]).toEqual([
        { context: '../..', dockerfile: dockerfileOf(service) },
        `spanwise-${service}:${example.SPANWISE_VERSION}`,
      ]);
      expect(existsSync(join(root, build?.dockerfile ?? ''))).toBe(true);
    }
    expect(services.filter((service) => compose.services[service]?.build === undefined)).toEqual([]);
  });

  test('has a health check for everything that keeps running', () => {
    const isChecked = ([name, { healthcheck, build }]: (typeof containers)[number]) =>
      healthcheck?.test !== undefined || (build !== undefined && lastOf(imageOf(name as ServiceName), 'HEALTHCHECK'));
    const unchecked = containers.filter((each) => each[1].restart !== 'no' && !isChecked(each));
    expect(unchecked.map(([name]) => name)).toEqual([]);
  });

  test('waits only for what it has, and for what that can fulfil', () => {
    const waits = containers.flatMap(([name, { depends_on: on = {} }]) =>
      Object.entries(on).map(([other, { condition }]) => ({ name, other, condition })),
    );
    expect(waits.length).toBeGreaterThan(services.length);
    const canBeFulfilled = ({ other, condition }: (typeof waits)[number]) => {
      const target = compose.services[other];
      const isThere = target !== undefined && target.profiles === undefined;
      const ends = target?.restart === 'no';
      return (
        isThere &&
        (ends ? ['service_completed_successfully'] : ['service_healthy', 'service_started']).includes(condition)
      );
    };
    expect(waits.filter((wait) => !canBeFulfilled(wait))).toEqual([]);
  });

  test('migrates every database before its service starts', () => {
    for (const service of withDatabase) {
      const job = compose.services[`${service}-migration`];
      expect(job).toMatchObject({ command: ['migrate'], restart: 'no', healthcheck: { disable: true } });
      expect(job?.environment).toEqual(compose.services[service]?.environment);
      expect(compose.services[service]?.depends_on).toMatchObject({
        [`${service}-migration`]: { condition: 'service_completed_successfully' },
      });
      expect(readText(`services/${service}/src/main.ts`)).toContain("=== 'migrate'");
    }
  });

  test('publishes the public service and the page of traces, on this machine only', () => {
    const published = containers.flatMap(([name, { ports: each = [] }]) => each.map((port) => [name, port]));
    expect(published).toEqual([
      ['session', '127.0.0.1:7001:7001'],
      ['jaeger', '127.0.0.1:16686:16686'],
    ]);
  });

  test('mounts only files that exist and volumes that it declares', () => {
    const sources = containers.flatMap(([, { volumes = [] }]) => volumes.map((volume) => volume.split(':')[0] ?? ''));
    const missing = sources.filter((source) =>
      source.startsWith('.') ? !existsSync(join(root, 'deploy/compose', source)) : !(source in compose.volumes),
    );
    expect(missing).toEqual([]);
    expect(Object.keys(compose.volumes).filter((volume) => !sources.includes(volume))).toEqual([]);
  });

  test('gives services longer to stop than they take to drain', () => {
    const { drainMs: turnsMs } = readAgentRuntimeConfig(environment('agent-runtime'));
    const { drainMs: callsMs } = readToolHostConfig(environment('tool-host'));
    const serverMs = constant('packages/service-kit/src/run-service.ts', 'graceMs') + 1000;
    const runtimeDrain = 'services/agent-runtime/src/application/drain.ts';
    const turnMs = constant('services/session/src/composition-root.ts', 'turnGraceMs');
    const drainMs: Readonly<Record<ServiceName, number>> = {
      session: turnMs + constant('services/session/src/application/run-attempt.ts', 'stopMs'),
      'agent-runtime': turnsMs + constant(runtimeDrain, 'yieldMs') + constant(runtimeDrain, 'executionsMs'),
      'tool-host': callsMs + constant('services/tool-host/src/application/drain-calls.ts', 'recordMs'),
      filesystem: 0,
    };
    const manual = readText('docs/operations.md');
    for (const service of services) {
      const [stopMs, neededMs] = [
        durationMs(compose.services[service]?.stop_grace_period),
        drainMs[service] + serverMs,
      ];
      expect(stopMs).toBeGreaterThan(neededMs + 5000);
      const row = new RegExp(`^\\| \`${service}\` \\|.*\\| ${neededMs / 1000} s \\| ${stopMs / 1000} s \\|$`, 'm');
      expect(manual).toMatch(row);
    }
  });

  test('takes all of its variables from .env.example, which has no other', () => {
    const forComposeItself = ['COMPOSE_PROFILES'];
    expect(Object.keys(example).sort()).toEqual([...composeVariables(), ...forComposeItself].sort());
  });

  test.each(['MYSQL_PASSWORD', 'MYSQL_ROOT_PASSWORD', 'SPANWISE_PAGE_TOKEN_KEY', 'SPANWISE_JWKS_URL'])(
    'can not be used without %s',
    (name) => {
      expect(() => readCompose({ ...filledIn, [name]: '' })).toThrow(`${name} is not set: see .env.example`);
    },
  );
});

describe('the settings of the containers', () => {
  const database = (name: string) => `mysql://spanwise:p@mysql:3306/spanwise_${name}`;
  const everyone = (service: ServiceName) => ({ host: '0.0.0.0', port: servicePorts[service], logLevel: 'info' });
  const otel = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://jaeger:4318' };

  test('are those that session understands', () => {
    expect(readSessionConfig(environment('session'))).toMatchObject({
      ...everyone('session'),
      databaseUrl: database('session'),
      migratesAtStart: false,
      natsUrl: 'nats://nats:4222',
      runtimeUrl: 'http://agent-runtime:7002',
      toolHostUrl: 'http://tool-host:7003',
      filesystemUrl: 'http://filesystem:7004',
      // Each replica has its own address, not the one that they share: a container finds it out by itself.
      advertisedUrl: '',
      isAlone: false,
      pageTokenKey: 'k',
      auth: {
        kind: 'jwt',
        jwksUrl: 'http://dev-identity:8080/jwks.json',
        issuer: 'http://dev-identity:8080',
        audience: 'spanwise',
      },
      telemetry: otel,
    });
  });

  test('are those that agent-runtime understands', () => {
    const { agentsDir, ...config } = readAgentRuntimeConfig(environment('agent-runtime'));
    expect(config).toEqual({
      ...everyone('agent-runtime'),
      toolHostUrl: 'http://tool-host:7003',
      filesystemUrl: 'http://filesystem:7004',
      natsUrl: 'nats://nats:4222',
      model: {
        name: undefined,
        providers: [{ kind: 'openai-chat', id: 'openai-chat', baseUrl: undefined, apiKey: 'sk-test' }],
        asksForReasoning: true,
        recordTo: undefined,
      },
      drainMs: 60_000,
      otel,
    });
    expect(existsSync(agentsDir)).toBe(true);
  });

  test('are those that tool-host understands', () => {
    expect(readToolHostConfig(environment('tool-host'))).toMatchObject({
      ...everyone('tool-host'),
      filesystemUrl: 'http://filesystem:7004',
      databaseUrl: database('tool_host'),
      migratesAtStart: false,
      advertisedUrl: undefined,
      isAlone: false,
      telemetry: otel,
    });
  });

  test('are those that filesystem understands', () => {
    expect(readFilesystemConfig(environment('filesystem'))).toMatchObject({
      ...everyone('filesystem'),
      databaseUrl: database('filesystem'),
      migratesAtStart: false,
      telemetry: otel,
    });
  });

  test('do not let session believe headers in a container', () => {
    expect(() => readSessionConfig({ ...environment('session'), SPANWISE_AUTH: 'insecure-dev' })).toThrow(
      'SPANWISE_AUTH must be jwt',
    );
  });

  test('do not let a guard be taken away in a container', () => {
    const without = { SPANWISE_TEST_WITHOUT: 'fencesBeforeDispatch' };
    const message = 'SPANWISE_TEST_WITHOUT must not be set in production';
    expect(() => readSessionConfig({ ...environment('session'), ...without })).toThrow(message);
    expect(() => readToolHostConfig({ ...environment('tool-host'), ...without })).toThrow(message);
  });

  test.each(services)('name nothing that %s does not read', (service) => {
    const files = service === 'agent-runtime' ? ['config', 'model-settings'] : ['config'];
    const read: readonly string[] = files.flatMap(
      (file) => readText(`services/${service}/src/${file}.ts`).match(/(?<=')[A-Z][A-Z_]+(?=')/g) ?? [],
    );
    const set = Object.keys(environment(service)).filter((name) => !/^(OTEL_|NODE_ENV$)/.test(name));
    expect(set.filter((name) => !read.includes(name))).toEqual([]);
  });

  test.each(containers)('of %s lead to containers and ports that are there', (_, { environment: variables = {} }) => {
    const urls = Object.values(variables).filter((value) => URL.canParse(value));
    const lost = urls.filter((url) => listening[new URL(url).hostname] !== Number(new URL(url).port));
    expect(lost).toEqual([]);
  });

  test('name databases that MySQL makes, and its user', () => {
    const sql = readText('deploy/compose/databases.sql');
    for (const service of withDatabase) {
      const { username, password, pathname } = new URL(environment(service).SPANWISE_DATABASE_URL ?? '');
      const { MYSQL_USER, MYSQL_PASSWORD } = compose.services.mysql?.environment ?? {};
      expect([username, password]).toEqual([MYSQL_USER, MYSQL_PASSWORD]);
      expect(sql).toContain(`create database if not exists ${pathname.slice(1)} character set utf8mb4`);
      expect(sql).toContain(`on ${pathname.slice(1)}.* to '${MYSQL_USER}'@'%'`);
    }
  });
});
