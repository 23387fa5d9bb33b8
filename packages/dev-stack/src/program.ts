import { stopSignal } from '@spanwise/service-kit';

/** What a program of this package may do besides its work. */
export interface Program {
  /** Resolves at SIGTERM or SIGINT. Before it is called, SIGTERM ends the process, and with it what it has started. */
  readonly waitForStop: () => Promise<void>;
}

/**
 * Runs a program: an error is told in one line and makes exit code 1, and whoever reads the output may leave.
 */
export async function runProgram(main: (program: Program) => Promise<void>): Promise<void> {
  const endEarly = () => process.exit(1);
  process.once('SIGTERM', endEarly);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') {
      throw error;
    }
  });
  const waitForStop = async () => {
    // First the one, then the other: a signal in between would be lost.
    const stopped = stopSignal();
    process.off('SIGTERM', endEarly);
    await stopped;
  };
  try {
    await main({ waitForStop });
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  } finally {
    process.off('SIGTERM', endEarly);
  }
}

/** Prints a line. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
