import type { Logger } from '@spanwise/telemetry';
import type { RunReports } from '../application/ports/run-reports.ts';

/** One line for each run that ended: bugs as errors, failures as warnings, cancels as information. */
export function loggerRunReports(logger: Logger): RunReports {
  return {
    delegateFailed({ sessionId, runId, span }, agent, error) {
      const facts = { session_id: sessionId, run_id: runId, trace_id: span.traceId, agent };
      if (error.kind === 'internal') {
        logger.error({ ...facts, err: error.cause ?? error }, 'delegated task failed');
      } else {
        logger.warn({ ...facts, reason: error.reason, message: error.message }, 'delegated task failed');
      }
    },
    ended(dispatch, outcome, durationMs) {
      const facts = {
        session_id: dispatch.sessionId,
        run_id: dispatch.runId,
        attempt: dispatch.attempt,
        trace_id: dispatch.span.traceId,
        duration_ms: Math.round(durationMs),
      };
      switch (outcome.ended) {
        case 'completed':
          return logger.debug({ ...facts, finish: outcome.finish }, 'run completed');
        case 'aborted':
          return logger.info(facts, 'run aborted');
        case 'yielded':
          return logger.debug({ ...facts, why: outcome.why }, 'run yielded');
        case 'fenced':
          return logger.info(facts, 'run taken over by another dispatch');
        default:
          return outcome.error.kind === 'internal'
            ? logger.error({ ...facts, err: outcome.error.cause ?? outcome.error }, 'run failed')
            : logger.warn({ ...facts, reason: outcome.error.reason, message: outcome.error.message }, 'run failed');
      }
    },
  };
}
