// Checks the import rules of .config/dependency-cruiser.mjs and two that need the source text, then plants violations of
// each rule in a copy of the tree and fails unless every one is caught. A rule that checks nothing fails the build.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const config = join(root, '.config/dependency-cruiser.mjs');

/** File to plant, its text, and the rule that must catch it. */
const violations = [
  ['services/session/src/domain/planted-npm.ts', "import 'yaml';", 'domain-is-pure'],
  ['services/session/src/domain/planted-node.ts', "import 'node:fs';", 'domain-is-pure'],
  [
    'services/session/src/domain/planted-generated.ts',
    "import '@spanwise/contracts/spanwise/type/v1/span';",
    'domain-is-pure',
  ],
  ['services/session/src/domain/planted-up.ts', "import '../application/planted-target.ts';", 'domain-is-pure'],
  ['services/session/src/application/planted-target.ts', 'export const target = 1;', undefined],
  ['services/session/src/application/planted-kit.ts', "import '@spanwise/service-kit';", 'application-knows-domain'],
  [
    'services/session/src/application/planted-down.ts',
    "import '../infrastructure/planted-target.ts';",
    'application-knows-domain',
  ],
  ['services/session/src/infrastructure/planted-target.ts', 'export const target = 1;', undefined],
  [
    'services/session/src/infrastructure/planted-up.ts',
    "import '../application/planted-target.ts';",
    'infrastructure-implements-ports',
  ],
  [
    'services/session/src/api/planted-side.ts',
    "import '../infrastructure/planted-target.ts';",
    'api-calls-application',
  ],
  ['services/session/src/api/planted-root.ts', "import '../composition-root.ts';", 'composition-root-is-the-top'],
  [
    'services/session/src/infrastructure/planted-service.ts',
    "import '../../../tool-host/src/config.ts';",
    'services-meet-on-the-wire',
  ],
  [
    'packages/messaging/src/planted-service.ts',
    "import '../../../services/session/src/config.ts';",
    'packages-know-no-service',
  ],
  ['packages/kernel/src/planted-node.ts', "import 'node:fs';", 'kernel-has-no-dependency'],
  ['packages/tool-kit/src/contract/planted-zod.ts', "import 'zod';", 'tool-contract-is-pure'],
  ['packages/kernel/src/planted-cycle-a.ts', "import './planted-cycle-b.ts';", 'no-cycles'],
  ['packages/kernel/src/planted-cycle-b.ts', "import './planted-cycle-a.ts';", undefined],
  ['packages/kernel/src/planted-lost.ts', "import './planted-nowhere.ts';", 'no-unresolvable'],
  ['services/session/src/application/planted-env.ts', 'export const home = process.env.HOME;', 'env-only-in-config'],
  [
    'services/session/src/domain/planted-connect.ts',
    "export class X { error = 'ConnectError'; }\nnew ConnectError();",
    'connect-error-at-the-edge',
  ],
];

function cruise(folder) {
  const run = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs'),
      '--config',
      config,
      '--output-type',
      'json',
      'packages',
      'services',
    ],
    { cwd: folder, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 },
  );
  const { summary } = JSON.parse(
    run.stdout.startsWith('{') ? run.stdout : fail(`dependency-cruiser failed: ${run.stdout}${run.stderr}`),
  );
  if (summary.totalCruised < 100) {
    fail(`dependency-cruiser looked at ${summary.totalCruised} files only: it does not understand the sources`);
  }
  const found = summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, file: from, detail: to }));
  return { found: [...found, ...textRules(folder)], cruised: summary.totalCruised };
}

function textRules(folder) {
  const found = [];
  for (const file of sources(folder)) {
    const text = readFileSync(join(folder, file), 'utf8');
    const isTest = /\.test\.ts$|\/tests\//.test(file);
    const readsEnvironment = /\bprocess\.env\b/.test(text);
    if (
      readsEnvironment &&
      !isTest &&
      file.startsWith('services/') &&
      !file.endsWith('/src/config.ts') &&
      !file.endsWith('/src/main.ts')
    ) {
      found.push({ rule: 'env-only-in-config', file, detail: 'process.env' });
    }
    const isEdge = /^packages\/|\/src\/(api|infrastructure\/clients)\//.test(file);
    if (/\bnew ConnectError\b/.test(text) && !isTest && !isEdge) {
      found.push({ rule: 'connect-error-at-the-edge', file, detail: 'ConnectError' });
    }
  }
  return found;
}

function sources(folder) {
  return ['packages', 'services'].flatMap((top) =>
    readdirSync(join(folder, top), { recursive: true, withFileTypes: true })
      .filter(
        (entry) =>
          entry.isFile() && entry.name.endsWith('.ts') && !/node_modules|\.tsbuild|\/gen/.test(entry.parentPath),
      )
      .map((entry) => relative(folder, join(entry.parentPath, entry.name))),
  );
}

function withPlanted(check) {
  const copy = mkdtempSync(join(tmpdir(), 'spanwise-layers-'));
  try {
    for (const top of ['packages', 'services']) {
      cpSync(join(root, top), join(copy, top), {
        recursive: true,
        filter: (path) => !/\/(node_modules|\.tsbuild|dist)(\/|$)/.test(path),
      });
      for (const name of readdirSync(join(root, top))) {
        linkDependencies(join(root, top, name, 'node_modules'), join(copy, top, name, 'node_modules'), copy);
      }
    }
    for (const [file, text] of violations) {
      mkdirSync(dirname(join(copy, file)), { recursive: true });
      writeFileSync(join(copy, file), `${text}\n`);
    }
    check(copy);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** Links what is installed, but for the packages of the workspace, which have to resolve to the copies. */
function linkDependencies(installed, target, copy) {
  mkdirSync(join(target, '@spanwise'), { recursive: true });
  for (const name of existsSync(installed) ? readdirSync(installed) : []) {
    if (name !== '@spanwise' && !name.startsWith('.')) {
      symlinkSync(join(installed, name), join(target, name));
    }
  }
  const own = join(installed, '@spanwise');
  for (const name of existsSync(own) ? readdirSync(own) : []) {
    const path = relative(root, realpathSync(join(own, name)));
    symlinkSync(join(copy, path), join(target, '@spanwise', name));
  }
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

const { found, cruised } = cruise(root);
for (const { rule, file, detail } of found) {
  console.error(`${rule}: ${file} → ${detail}`);
}
if (found.length > 0) {
  fail(`${found.length} forbidden imports`);
}
withPlanted((copy) => {
  const caught = cruise(copy).found;
  const missed = violations.filter(
    ([file, , rule]) => rule && !caught.some((each) => each.rule === rule && each.file === file),
  );
  for (const [file, , rule] of missed) {
    console.error(`planted violation of ${rule} was not caught: ${file}`);
  }
  if (missed.length > 0) {
    fail(`${missed.length} planted violations were missed: the rules do not check what they say`);
  }
});
console.log(
  `layers: ${cruised} files, 0 violations, ${violations.filter(([, , rule]) => rule).length} planted ones caught`,
);
