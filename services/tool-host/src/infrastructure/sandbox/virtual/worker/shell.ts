import { AsyncLocalStorage } from 'node:async_hooks';
import { Bash, type BashExecResult, type CommandName, getCommandNames } from 'just-bash';
import type { Assignment } from '../messages.ts';
import { type Channel, endProcess } from './channel.ts';
import { GuardedFileSystem, guardRedirections } from './guard-redirections.ts';
import { OutputFileSystem } from './output-file-system.ts';
import { streamOutput } from './stream-output.ts';
import { ViewFileSystem } from './view-file-system.ts';
import { ViewFiles } from './view-files.ts';
import { ViewMounts } from './view-mounts.ts';

const outputRoot = '/dev/.output';
/** Needs threads, which the process may not have. */
const unavailable = new Set<CommandName>(['sqlite3']);
/** Of the looks of the shell at its signal, one of so many is for the parent. */
const looksBetween = 10_000;
const many = 1_000_000_000;

/** Time, processor and memory are bounded from outside; these only keep the shell from stopping long before that. */
const executionLimits = {
  maxCommandCount: many,
  maxLoopIterations: many,
  maxAwkIterations: many,
  maxSedIterations: many,
  maxJqIterations: many,
  maxWorkUnits: many,
  maxGlobOperations: many,
  maxTraversalEntries: many,
  maxTraversalWork: many,
  maxOutputSize: 2 * 1024 * 1024 * 1024,
};

/** Does once what the first command would wait for: most of a shell's code is loaded and compiled as it is used. */
export async function prepare(): Promise<void> {
  await new Bash().exec('for i in 1; do echo $i | cat > /tmp/warm; done');
}

/** Runs a script on the files that the channel leads to; answers its exit code. */
export async function runScript(assignment: Extract<Assignment, { type: 'run' }>, channel: Channel): Promise<number> {
  const { script, cwd, mounts, scratchBytes } = assignment;
  const limits = { ...executionLimits, maxFileSystemBytes: scratchBytes };
  // The folders that every system has, and /tmp: in memory.
  const { fs: base } = new Bash({ executionLimits: limits });
  const files = new ViewFiles((operation, data) => channel.ask(operation, data));
  const view = new ViewMounts(mounts);
  const put = putOutside(channel);
  const fs = new GuardedFileSystem((path) => view.isReadOnly(path), {
    base,
    mounts: view.roots().map((root) => ({ mountPoint: root, filesystem: new ViewFileSystem(root, files) })),
  });
  fs.mount(outputRoot, new OutputFileSystem(put, () => fs.guardNext()));
  const bash = new Bash({
    fs,
    cwd,
    env: { HOME: cwd, TMPDIR: '/tmp', LANG: 'C.UTF-8' },
    executionLimits: limits,
    commands: getCommandNames().filter((name) => !unavailable.has(name as CommandName)) as CommandName[],
  });
  let isNested = false;
  bash.registerTransformPlugin({
    name: 'stream-output',
    transform({ ast }) {
      // Scripts that this one runs (`bash -c`) may be where output is captured.
      const isFirst = !isNested;
      isNested = true;
      guardRedirections(ast, `${outputRoot}/guard`);
      return { ast: isFirst ? streamOutput(ast, { stdout: `${outputRoot}/1`, stderr: `${outputRoot}/2` }) : ast };
    },
  });
  try {
    const result = await bash.exec(script, { rawScript: true, signal: parentSignal() });
    putRest(result, put);
    return result.exitCode & 255;
  } catch (error) {
    // A file that could not be written by a redirection ends the script.
    put('stderr', new TextEncoder().encode(`bash: ${error instanceof Error ? error.message : String(error)}\n`));
    return 1;
  }
}

/** What could not be put out at once: errors of the shell itself. */
function putRest({ stdout, stderr, stdoutKind, stdoutEncoding }: BashExecResult, put: Channel['put']): void {
  const isBytes = stdoutKind === 'bytes' || stdoutEncoding === 'binary';
  put('stdout', Buffer.from(stdout, isBytes ? 'latin1' : 'utf8'));
  put('stderr', Buffer.from(stderr, 'utf8'));
}

/** The shell takes much away from what it calls: the channel is used outside of that. */
function putOutside(channel: Channel): Channel['put'] {
  const outside = AsyncLocalStorage.snapshot();
  return (stream, data) => outside(() => channel.put(stream, data));
}

/**
 * A loop of the shell leaves no time to hear that the channel was closed, but looks at its signal at every step. This one is never
 * aborted: who looks at it looks for the parent as well, and ends the process when it is gone.
 */
function parentSignal(): AbortSignal {
  const { signal } = new AbortController();
  const outside = AsyncLocalStorage.snapshot();
  const parent = process.ppid;
  let looks = 0;
  Object.defineProperty(signal, 'aborted', {
    get() {
      looks += 1;
      if (looks % looksBetween === 0 && outside(() => process.ppid) !== parent) {
        outside(endProcess);
      }
      return false;
    },
  });
  return signal;
}
