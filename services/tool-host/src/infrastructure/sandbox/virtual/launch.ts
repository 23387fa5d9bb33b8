import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { SandboxLimits } from '../sandbox-runner.ts';

export type SandboxedProcess = ChildProcessByStdio<Writable, Readable, Readable>;

/** Limits that a process is started with: it has them for good. */
export type LaunchLimits = Pick<SandboxLimits, 'cpuSeconds' | 'memoryBytes' | 'openFiles'>;

const kib = 1024;
const mib = kib * kib;
/** What Node itself reserves of data, most of it never used. */
const nodeDataBytes = 640 * mib;
/** Of the memory of a command, what is not for values of JavaScript: bytes of files and of output. */
const outsideHeapShare = 0.25;
const minHeapBytes = 64 * mib;

const here = import.meta.filename;
/** A service that is bundled has the program of the process beside it. */
const program = here.endsWith('.ts')
  ? join(import.meta.dirname, 'worker/main.ts')
  : join(dirname(here), 'sandbox-worker.mjs');

/**
 * Starts the process of one command. It is the same Node, by itself in a process group, and without anything that it could
 * reach: no environment, no descriptors but its channel, and of the machine's files only those that it is made of.
 */
export function launchProcess(limits: LaunchLimits): SandboxedProcess {
  // Node can not limit what it starts; a shell can, and becomes Node then.
  const script = [...shellLimits(limits), 'unset PWD OLDPWD', 'exec "$@"'].join('\n');
  return spawn('/bin/sh', ['-c', script, 'sh', process.execPath, ...nodeArguments(limits), program], {
    env: {},
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

/** What the kernel keeps to, whatever the process does. */
function shellLimits({ cpuSeconds, memoryBytes, openFiles }: LaunchLimits): readonly string[] {
  const seconds = Math.max(1, Math.ceil(cpuSeconds));
  return [
    'ulimit -c 0',
    // It writes no file at all.
    'ulimit -f 0',
    `ulimit -n ${Math.max(32, openFiles)}`,
    `ulimit -d ${Math.ceil((nodeDataBytes + memoryBytes) / kib)}`,
    // At the first it can be told from other ends; at the second nothing helps any more.
    `ulimit -S -t ${seconds}`,
    `ulimit -H -t ${seconds + 1}`,
  ];
}

function nodeArguments({ memoryBytes }: LaunchLimits): readonly string[] {
  const heapBytes = Math.max(minHeapBytes, memoryBytes * (1 - outsideHeapShare));
  return [
    '--permission',
    ...readable().map((path) => `--allow-fs-read=${path}`),
    `--max-old-space-size=${Math.floor(heapBytes / mib)}`,
    '--no-addons',
    '--disallow-code-generation-from-strings',
    // Else a signal opens the inspector.
    '--disable-sigusr1',
    '--no-warnings',
  ];
}

/** The code that the process is made of: of a bundle one file, else its sources and the installed packages. */
function readable(): readonly string[] {
  if (!here.endsWith('.ts')) {
    return [program];
  }
  const shell = fileURLToPath(import.meta.resolve('just-bash'));
  const linked =
    createRequire(here)
      .resolve.paths('just-bash')
      ?.map((folder) => join(folder, 'just-bash')) ?? [];
  const beside = linked.filter((folder) => existsSync(folder));
  return [join(import.meta.dirname, '*'), join(packagesOf(shell), '*'), ...beside, ...packageFiles()];
}

/** The outermost `node_modules` of a file: what packages need of each other lies there too. */
function packagesOf(file: string): string {
  const folder = `${sep}node_modules${sep}`;
  return file.slice(0, file.indexOf(folder) + folder.length - 1);
}

/** Node looks into them for how the sources are to be read. */
function packageFiles(): readonly string[] {
  const files: string[] = [];
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    files.push(join(folder, 'package.json'));
  }
  return files.filter((file) => existsSync(file));
}
