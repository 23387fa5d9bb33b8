import { AttemptReason } from '@spanwise/contracts/spanwise/event/v1/event';
import type { Logger } from '@spanwise/telemetry';
import type { RunReports } from '../application/ports/run-reports.ts';

const reasonNames = new Map<number, string>(Object.entries(AttemptReason).map(([name, number]) => [number, name]));

/** Paths that a line of the log names at most. */
const maxPaths = 20;

/** What happens to runs beside their own course, as lines of the log. */
export function loggerRunReports(logger: Logger): RunReports {
  return {
    taken: ({ id, sessionId, epoch, attempt }, reason) =>
      logger.info(
        { run_id: id, session_id: sessionId, epoch, attempt, reason: reasonNames.get(reason) },
        'run taken for another attempt',
      ),
    lost: ({ id, sessionId, epoch }, error) =>
      logger.warn({ run_id: id, session_id: sessionId, epoch, err: error }, 'run given up here'),
    recognised: ({ runId, sessionId, epoch }) =>
      logger.info({ run_id: runId, session_id: sessionId, epoch }, 'append had been committed before'),
    fenceFailed: ({ id, sessionId, epoch }, error) =>
      logger.warn({ run_id: id, session_id: sessionId, epoch, err: error }, 'fence not answered: trying again'),
    publishFailed: ({ id, sessionId, epoch }, error) =>
      logger.warn({ run_id: id, session_id: sessionId, epoch, err: error }, 'files not published: trying again'),
    notPublished: ({ id, sessionId, epoch }, error) =>
      logger.warn({ run_id: id, session_id: sessionId, epoch, err: error }, 'files of a run were not published'),
    publishedInPart: ({ id, sessionId, epoch }, { result, conflicts, unpublished }) =>
      logger.warn(
        { run_id: id, session_id: sessionId, epoch, result, conflicts, unpublished: unpublished.slice(0, maxPaths) },
        'files of a run were not all published',
      ),
    pollFailed: (error) => logger.warn({ err: error }, 'poll failed'),
  };
}
