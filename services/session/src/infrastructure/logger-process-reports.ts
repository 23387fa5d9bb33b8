import type { Logger } from '@spanwise/telemetry';

/** Called with the session of a watcher whose queue was full and who reads the log instead. */
export function catchUpReport(logger: Logger): (sessionId: string) => void {
  return (sessionId) => logger.info({ session_id: sessionId }, 'watcher catches up from the log');
}

/** Says that the lease of this process was lost, then does what follows from it. */
export function lostLeaseReport(logger: Logger, onLost: () => void): () => void {
  return () => {
    logger.error({}, 'lease lost');
    onLost();
  };
}
