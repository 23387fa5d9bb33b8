import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { parse } from 'yaml';

const suite = dirname(fileURLToPath(import.meta.resolve('@modelcontextprotocol/conformance/package.json')));
const client = fileURLToPath(new URL('conformance-client.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'spanwise-conformance-'));
const revision = '2026-07-28';
const run = promisify(execFile);

/** What the suite requires of a client of the revision. */
const { client: required } = parse(readFileSync(join(suite, `requirements/${revision}.yaml`), 'utf8')) as {
  readonly client: readonly string[];
};

/** Servers are reached with a secret of the operator or the user's own token: signing in at a server (OAuth) is not offered. */
const isOffered = (scenario: string) => !scenario.startsWith('auth/');
/** Added to the suite after the revision. */
const further = ['json-schema-2020-12-preservation'];
const scenarios = [...required.filter(isOffered), ...further];

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('knows what is required', () => {
  expect(required.filter(isOffered)).toEqual([
    'tools_call',
    'request-metadata',
    'sep-2322-client-request-state',
    'http-standard-headers',
    'http-custom-headers',
    'http-invalid-tool-headers',
    'json-schema-ref-no-deref',
  ]);
});

// One after another: together they would wait for each other until their time is up.
test.each(scenarios)('conforms in %s', { timeout: 60_000 }, async (scenario) => {
  // Without `exec` a client that hangs would hang the suite.
  const command = `exec timeout -s KILL 40 "${process.execPath}" "${client}"`;
  const output = join(folder, scenario);
  const args = ['client', '--command', command, '--scenario', scenario, '--spec-version', revision];
  const told = await run(
    process.execPath,
    [join(suite, 'dist/index.js'), ...args, '--timeout', '45000', '-o', output],
    {
      timeout: 55_000,
    },
  ).catch((error: unknown) => error as { readonly stderr: string });
  const checks = checksIn(output);
  expect(checks.filter(({ status }) => status !== 'SUCCESS' && status !== 'SKIPPED' && status !== 'INFO')).toEqual([]);
  // A suite that has looked at nothing has no failures either.
  expect(checks.filter(({ status }) => status === 'SUCCESS').length).toBeGreaterThan(0);
  expect(told.stderr).toContain('OVERALL: PASSED');
});

function checksIn(
  output: string,
): readonly { readonly id: string; readonly status: string; readonly errorMessage?: string }[] {
  const [results = ''] = readdirSync(output);
  return JSON.parse(readFileSync(join(output, results, 'checks.json'), 'utf8'));
}
