import type { Clock } from '@spanwise/kernel';
import { defineTool, wellFormedText } from '@spanwise/tool-kit';
import { type ToolContext, type ToolOutput, workspacePath } from '@spanwise/tool-kit/contract';
import { z } from 'zod';
import { defaultSandboxLimits, type SandboxExit, type SandboxRunner } from '../sandbox/sandbox-runner.ts';
import { CommandOutput } from './command-output.ts';

const [defaultSeconds, maxSeconds] = [120, 600];
/** Left of the call's own time to tell what a command has put out until it was stopped. */
const marginMs = 2000;

export interface BashToolDeps {
  readonly sandbox: SandboxRunner;
  /** The one that deadlines are told by. */
  readonly clock: Pick<Clock, 'nowMs'>;
}

/** What a program is told. */
interface BashResult {
  readonly exit_code: number;
  readonly stopped_by?: string;
}

const stops: Record<NonNullable<SandboxExit['stoppedBy']>, (seconds: number) => string> = {
  time: (seconds) =>
    `it did not end within ${seconds} s. Ask for less at once, or give it more seconds (at most ${maxSeconds})`,
  cpu: () => `it used more than ${defaultSandboxLimits.cpuSeconds} s of processor time`,
  memory: () => `it used more than ${defaultSandboxLimits.memoryBytes / 1024 / 1024} MiB of memory`,
  output: () => `it put out more than ${defaultSandboxLimits.outputBytes / 1024 / 1024} MiB. Write it to a file`,
};

const differences: Record<SandboxRunner['level'], string> = {
  virtual: `The shell and its commands (coreutils, find, grep, rg, sed, awk, jq, yq, xan, tar, gzip, diff, …) are an emulation: \
programs like python, node, git, make or curl are not there. Files have no modes, owners or links.`,
  namespaced: `Programs are those of the machine. Only the files of the session are there.`,
};

/** Runs commands, apart from this process and this machine. */
export function bashTool(deps: BashToolDeps) {
  return defineTool({
    name: 'bash',
    title: 'Run command',
    description: `Runs a command in bash, in a sandbox without network. It begins in ${workspacePath}; files that it changes \
there are kept, all else (variables, the current directory, /tmp) is gone when it ends. There is no input and no terminal, and \
nothing goes on in the background after it. Both output streams are shown as they come, at most 30,000 characters of their two \
ends, and the exit code. ${differences[deps.sandbox.level]} To read, write, edit or find files prefer the tools for that.`,
    version: '1',
    toolClass: 'shell',
    effect: 'NON_REPEATABLE',
    defaultDecision: 'ask',
    input: z.strictObject({
      command: wellFormedText('What bash is to run; may have several lines.').min(1),
      timeout_seconds: z
        .int()
        .min(1)
        .max(maxSeconds)
        .default(defaultSeconds)
        .describe('After this many seconds the command is stopped.'),
      description: z.string().max(500).optional().describe('For people: what the command does, in a few words.'),
    }),
    // What waits for its turn, and what is taken over at the end, comes on top of the command's own time.
    limits: { timeoutMs: (maxSeconds + 60) * 1000, outputBytes: 30_000 },
    targets: ({ command }) => [{ kind: 'command', value: command, access: 'write' }],
    execute: ({ command, timeout_seconds: seconds }, context) => runCommand(deps, command, seconds, context),
  });
}

async function runCommand(
  { sandbox, clock }: BashToolDeps,
  script: string,
  seconds: number,
  context: ToolContext,
): Promise<ToolOutput<BashResult>> {
  const { files, signal, deadlineMs } = context;
  const wallMs = Math.max(1, Math.min(seconds * 1000, deadlineMs - clock.nowMs() - marginMs));
  using output = new CommandOutput((text) => context.output(text));
  const exit = await sandbox.run(
    {
      ...{ script, files, cwd: workspacePath },
      limits: { ...defaultSandboxLimits, wallMs },
      output: (stream, chunk) => output.add(stream, chunk),
    },
    signal,
  );
  const { text, notices } = output.end(exit.stoppedBy !== undefined);
  const stopped = exit.stoppedBy === undefined ? [] : [`Stopped: ${stops[exit.stoppedBy](Math.ceil(wallMs / 1000))}.`];
  const lines = [...notices, ...exit.notices, ...stopped, `exit code ${exit.exitCode}`];
  return {
    // The notice begins a line of its own.
    text: text.replace(/\n$/, ''),
    keeps: 'ends',
    notice: lines.map((line) => `[${line}]`).join('\n'),
    structured: { exit_code: exit.exitCode, ...(exit.stoppedBy === undefined ? {} : { stopped_by: exit.stoppedBy }) },
    ...(exit.exitCode === 0 ? {} : { isError: true, code: 'COMMAND_FAILED' }),
  };
}
