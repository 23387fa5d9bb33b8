/** What of the machine an attack aims at. All of it is made by the test. */
export interface AttackTarget {
  /** A file of the machine, outside of every view. Its content is the secret. */
  readonly secretFile: string;
  /** Is in the file, and in the environment of this process as `SPANWISE_ATTACK_SECRET`. */
  readonly secret: string;
  /** A folder of the machine, outside of every view, which has to stay empty. */
  readonly emptyFolder: string;
  /** Somebody listens there, on 127.0.0.1, who has to stay alone. */
  readonly port: number;
  /** The process that runs the sandbox, which has to go on. */
  readonly pid: number;
}

/**
 * An attempt to break out of a sandbox, or to wear the machine out. Whatever it tries, the secret is neither in its output nor
 * in the files, the folder stays empty, nobody connects, nothing of it runs on, and the process that runs the sandbox goes on.
 */
export interface SandboxAttack {
  /** Unique; docs/sandbox.md has a row for it. */
  readonly name: string;
  /** A shell script. It puts out the word `BREACH` (put together, so that an error that quotes the script has none) if it succeeds. */
  readonly script: (target: AttackTarget) => string;
  /**
   * - `blocked` the attempt fails; the command ends by itself, however
   * - `stopped` the command would use too much, or go on for ever: it fails by itself at a limit, or is killed at one
   * - `bounded` either: some shells do it without using much
   */
  readonly expect: 'blocked' | 'stopped' | 'bounded';
}

/** Says that an attack has succeeded. */
export const breach = "printf '%s%s\\n' BRE ACH";
