// Everything that has to hold before a change lands, but for the tests that need a database: `npm run verify`.
// Independent checks run two at a time; each prints its time, and its output when it fails.
import { spawn } from 'node:child_process';
import { cpus } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const checks = [
  ['types', 'tsc', ['--build', '.config/tsconfig.all.json']],
  ['unit tests', 'vitest', ['run', '--config', '.config/vitest.config.ts', '--project', 'unit', '--reporter', 'dot']],
  [
    'lint',
    'oxlint',
    ['--type-aware', '--config', '.config/oxlint.json', '--deny-warnings', 'packages', 'services', 'scripts'],
  ],
  ['layers', 'node', ['scripts/check-layers.mjs']],
  ['dead code', 'knip', ['--config', '.config/knip.json', '--no-progress']],
  ['package boundaries', 'turbo', ['boundaries', '--no-color']],
  ['format', 'biome', ['check', '.']],
  ['generated code', 'node', ['scripts/generate.mjs', '--check']],
  ['proto lint', 'buf', ['lint', 'proto']],
  ['proto format', 'buf', ['format', 'proto', '--path', 'proto/spanwise', '--diff', '--exit-code']],
  ['proto breaking', 'node', ['scripts/check-breaking.mjs']],
];

function run([name, command, args]) {
  return new Promise((resolve) => {
    const started = performance.now();
    // The servers of the integration tests are not needed here.
    const env = { ...process.env, SPANWISE_TEST_MYSQL_URL: 'unused', SPANWISE_TEST_NATS_URL: 'unused' };
    const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += chunk;
      });
    }
    child.on('error', (error) => resolve({ name, isOk: false, output: error.message }));
    child.on('close', (code) => {
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      console.log(`${code === 0 ? '✓' : '✗'} ${name.padEnd(20)} ${seconds} s`);
      resolve({ name, isOk: code === 0, output });
    });
  });
}

const started = performance.now();
const waiting = [...checks];
const results = [];
await Promise.all(
  Array.from({ length: Math.max(2, Math.min(4, cpus().length)) }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      results.push(await run(next));
    }
  }),
);
const failed = results.filter(({ isOk }) => !isOk);
for (const { name, output } of failed) {
  console.error(`\n── ${name} ──\n${output}`);
}
console.log(
  `\nverify: ${results.length - failed.length} of ${checks.length} checks passed in ${((performance.now() - started) / 1000).toFixed(0)} s`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
