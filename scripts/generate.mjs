// Generates from the protos: the contracts package, and docs/errors.md from the catalogue of reasons.
//   node scripts/generate.mjs          writes them
//   node scripts/generate.mjs --check  fails when what is checked in differs
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const generated = join(root, 'packages/contracts/src/gen');
const errorsPage = join(root, 'docs/errors.md');

function generate() {
  const run = spawnSync('buf', ['generate'], { cwd: join(root, 'proto'), stdio: 'inherit' });
  if (run.status !== 0) {
    process.exit(run.status ?? 1);
  }
}

function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

/** The comment of each reason says: code, when it happens, who does what. */
function errorsMarkdown() {
  const proto = readFileSync(join(root, 'proto/spanwise/error/v1/error.proto'), 'utf8');
  const rows = [...proto.matchAll(/((?: {2}\/\/[^\n]*\n)+) {2}ERROR_REASON_(\w+) = \d+;/g)]
    .filter(([, , name]) => name !== 'UNSPECIFIED')
    .map(([, comment, name]) => {
      const text = comment
        .replace(/^ {2}\/\/ ?/gm, '')
        .replaceAll('\n', ' ')
        .trim();
      const [, code, place, rest] = /^([A-Z_]+)(, (?:also )?in (?:RUN_ERROR|tool results))?\. (.*)$/.exec(text) ?? [
        '',
        '',
        undefined,
        text,
      ];
      const where = place === undefined ? 'status' : place.replace(', also in', 'status,').replace(', in ', '');
      return `| \`${name}\` | ${code} | ${where} | ${rest} |`;
    });
  return [
    '# Error reasons',
    '',
    'Generated from `proto/spanwise/error/v1/error.proto` by `npm run generate`. Every error carries a',
    '`google.rpc.ErrorInfo` with one of these reasons and the domain `spanwise.dev`; RUN_ERROR carries them as a number.',
    'Branch on the reason, never on the message.',
    '',
    '| reason | gRPC code | where | when, and what to do |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

if (process.argv.includes('--check')) {
  const folder = mkdtempSync(join(tmpdir(), 'spanwise-generate-'));
  try {
    // The output of the plugin is relative to the folder that buf runs in.
    cpSync(join(root, 'proto'), join(folder, 'proto'), { recursive: true });
    const run = spawnSync('buf', ['generate'], { cwd: join(folder, 'proto'), stdio: 'inherit' });
    const fresh = join(folder, 'packages/contracts/src/gen');
    const names =
      run.status === 0 ? new Set([...filesIn(fresh), ...filesIn(generated)]) : new Set(['buf generate failed']);
    const read = (base, name) => {
      try {
        return readFileSync(join(base, name), 'utf8');
      } catch {
        return undefined;
      }
    };
    const stale = [...names].filter((name) => read(fresh, name) !== read(generated, name));
    if (readFileSync(errorsPage, 'utf8') !== errorsMarkdown()) {
      stale.push('docs/errors.md');
    }
    if (stale.length > 0) {
      console.error(`Not what the protos say: run npm run generate.\n  ${stale.join('\n  ')}`);
      process.exitCode = 1;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
} else {
  generate();
  writeFileSync(errorsPage, errorsMarkdown());
}
