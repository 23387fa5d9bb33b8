import { AttemptReason } from '@spanwise/contracts/spanwise/event/v1/event';
import type { Logger } from '@spanwise/telemetry';
import type { RunReports } from '../application/ports/run-reports.ts';

const reasonNames = new Map(Object.entries(AttemptReason).map(([name, number]) => [Number(number), name]));

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
    fenceFailed: ({ id, sessionId, epoch }, error) =>
      logger.warn({ run_id: id, session_id: sessionId, epoch, err: error }, 'fence not answered: trying again'),
    pollFailed: (error) => logger.warn({ err: error }, 'poll failed'),
  };
}
