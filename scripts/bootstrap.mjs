// Runs a command of this repository on a machine that has nothing but Node (18 or newer) and npm.
//
//   node scripts/bootstrap.mjs node path/to/file.ts [arguments…]
//   node scripts/bootstrap.mjs vitest run
//
// Installs the dependencies when they are missing or out of date, then runs the command with the pinned Node and the
// installed tools first on the PATH. Plain JavaScript without dependencies, for it runs before anything is installed.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const bin = join(modules, '.bin');
const stampFile = join(modules, '.spanwise-install');

const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_config_/i.test(name)));
env.PATH = [bin, env.PATH].filter(Boolean).join(delimiter);
env.TURBO_TELEMETRY_DISABLED = '1';
// What Node makes of the sources is kept: every process starts in about half the time.
env.NODE_COMPILE_CACHE ??= join(modules, '.cache', 'compiled');

function installIfStale() {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const stamp = createHash('sha256')
    .update(readFileSync(join(root, 'pnpm-lock.yaml')))
    .update(readFileSync(join(root, 'pnpm-workspace.yaml')))
    .update(`${process.platform} ${process.arch}`)
    .digest('hex');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) {
    return;
  }
  console.error('Installing dependencies (once; about half a minute) …');
  const install = spawnSync(
    'npx',
    ['--yes', manifest.packageManager, 'install', '--frozen-lockfile', '--reporter=append-only', '--loglevel=error'],
    {
      cwd: root,
      env,
      stdio: ['ignore', 2, 2],
      shell: process.platform === 'win32',
    },
  );
  if (install.status !== 0) {
    console.error(
      'Installing failed: see above. It needs npm and a connection to the npm registry; run the command again.',
    );
    process.exit(install.status ?? 1);
  }
  mkdirSync(modules, { recursive: true });
  writeFileSync(stampFile, stamp);
}

installIfStale();

const [command, ...args] = process.argv.slice(2);
if (command === undefined) {
  process.exit(0);
}
// A platform without a packaged Node uses the one that runs this script: it has to be new enough by itself then.
const pinned = join(bin, 'node');
const executable = command === 'node' ? (existsSync(pinned) ? pinned : process.execPath) : join(bin, command);
const child = spawn(executable, args, { cwd: root, env, stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  // The terminal sends SIGINT to the whole group; the child decides when to leave.
  process.on(signal, () => signal !== 'SIGINT' && child.kill(signal));
}
child.on('error', (error) => {
  console.error(`Could not start ${command}: ${error.message}`);
  process.exit(1);
});
child.on('exit', (code, signal) => {
  process.exit(signal === null ? (code ?? 1) : 128 + (constants.signals[signal] ?? 0));
});
