import type { SandboxLimits } from '../sandbox-runner.ts';
import { descriptors } from './bwrap-arguments.ts';

/** Where the command's script lies in the namespace. */
export const scriptPath = '/run/command';

/** What the supervisor says at its gate before it waits to be let go. */
export const readyLine = 'ready';

/**
 * The program that runs the command, inside of the namespace. It begins only once it is told to, so that nothing runs
 * before its limits hold, and nothing at all when this process has died meanwhile. It says how the command ended and then
 * waits to be killed: that way the namespace ends under bubblewrap's eyes, which reaps it.
 */
export function supervisorScript(limits: SandboxLimits, maxFileBytes: number): string {
  const { gate } = descriptors;
  const limited = resourceLimits(limits, maxFileBytes).map(([flag, value]) => `ulimit -${flag} ${value} || exit 125`);
  return [
    `printf '%s\\n' ${readyLine} >&${gate}`,
    `read -r go <&${gate} && [ "$go" = go ] || exit 125`,
    ...limited,
    // What this process was itself started with, by whomever, goes no further.
    `for each in /proc/self/fd/*; do case \${each##*/} in [012${gate}]) ;; *) eval "exec \${each##*/}>&-" ;; esac; done`,
    // A shell tells about children that were killed; the command's own messages go past it.
    'exec 7>&2 2>/dev/null',
    `bash ${scriptPath} 2>&7 7>&- ${gate}>&-`,
    `printf 'exit %d\\n' $? >&${gate}`,
    'exec 1>&- 7>&-',
    `read -r go <&${gate}`,
  ].join('\n');
}

/** Of each process, by flag of the shell's `ulimit`; what all of them use together is watched from outside. */
function resourceLimits(limits: SandboxLimits, maxFileBytes: number): readonly (readonly [string, number])[] {
  const kib = (bytes: number) => Math.ceil(bytes / 1024);
  return [
    ['c', 0],
    ['n', limits.openFiles],
    // They count within the namespace, where bubblewrap and the supervisor are two of them.
    ['u', limits.processes + 2],
    ['f', kib(maxFileBytes)],
    // More than what is watched for, so that the watch says why it ended.
    ['t', limits.cpuSeconds + 1],
    ['d', kib(limits.memoryBytes * 1.25)],
  ];
}

/** The code that the supervisor tells; undefined for anything else. */
export function exitCodeOf(line: string): number | undefined {
  const [, code] = /^exit ([0-9]{1,3})$/.exec(line) ?? [];
  return code === undefined || Number(code) > 255 ? undefined : Number(code);
}
