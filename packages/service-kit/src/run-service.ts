import type { RunningServer } from './serve.ts';

/** A service that was started: its server, and whatever it holds. */
export interface RunningService extends AsyncDisposable {
  readonly server: RunningServer;
  /** Finishes or hands over what goes on, while the server still answers. Comes between SIGTERM and the server's stop. */
  readonly drain?: () => Promise<void>;
}

/** Time for open streams to end after SIGTERM. */
const graceMs = 20_000;

/** What brings a schema up to date. */
export interface Migratable extends AsyncDisposable {
  migrate(): Promise<readonly string[]>;
}

/** The migration step of a deployment: brings a schema up to date, says what it did, and ends; exit code 1 on failure. */
export async function runMigrations(open: () => Promise<Migratable>): Promise<void> {
  try {
    await using database = await open();
    const done = await database.migrate();
    process.stdout.write(done.length === 0 ? 'The schema is up to date.\n' : `Migrated: ${done.join(', ')}\n`);
  } catch (error) {
    fail(error);
  }
}

/**
 * Keeps a process alive until SIGTERM or SIGINT, then drains it. A second signal ends it at once. A service that can not
 * start says why in one line and sets exit code 1.
 */
export async function runService(start: () => Promise<RunningService>): Promise<void> {
  // Listened for from the beginning: a signal that comes while the service starts drains it as well.
  const stop = listenForStop();
  try {
    await using service = await start();
    await stop.signal;
    service.server.drain();
    await service.drain?.();
    await service.server.stop(graceMs);
  } catch (error) {
    fail(error);
  } finally {
    stop.cancel();
  }
}

function fail(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

/** Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. */
export function stopSignal(): Promise<NodeJS.Signals> {
  return listenForStop().signal;
}

function listenForStop(): { readonly signal: Promise<NodeJS.Signals>; readonly cancel: () => void } {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  // Keeps the process alive when nothing else does.
  const alive = setInterval(() => undefined, 2 ** 30);
  const cancel = () => {
    clearInterval(alive);
    process.off('SIGTERM', stop).off('SIGINT', stop);
  };
  const stop = (signal: NodeJS.Signals) => {
    cancel();
    resolve(signal);
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
  return { signal: promise, cancel };
}
