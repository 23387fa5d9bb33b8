import type { Evidence, RunRow } from '../evidence/evidence.ts';
import { scriptMark } from '../provider/run-script.ts';
import { violation } from './log-checkers.ts';
import type { Violation } from './violation.ts';

/**
 * I21, context: a run that was asked to be rolled back has ended with RUN_ROLLED_BACK, and no other has; its messages, and no
 * others, are out of the context, and no other run's model was shown them.
 */
export function checkRollbacks(evidence: Evidence): readonly Violation[] {
  const { runs, events, context, answers, sessions } = evidence;
  const kept = new Set(sessions.filter(({ isDeleted }) => !isDeleted).map(({ id }) => id));
  const told = new Set(events.filter(({ event }) => event.data.case === 'runRolledBack').map(({ runId }) => runId));
  const rows = Map.groupBy(context, ({ runId }) => runId);
  const listeners = Map.groupBy(
    answers.flatMap(({ script, heard }) => heard.map((mark) => ({ script, mark }))),
    ({ mark }) => mark,
  );
  const say = ({ id }: RunRow, what: string) => violation('I21', `run ${id}: ${what}`);
  return runs
    .filter(({ sessionId, endedAtMs }) => kept.has(sessionId) && endedAtMs !== undefined)
    .flatMap((run) => {
      const own = rows.get(run.id) ?? [];
      const gone = own.filter(({ supersededAtSeq }) => supersededAtSeq !== undefined).length;
      if (!told.has(run.id)) {
        return [
          ...(run.rollsBack ? [say(run, 'it was to be rolled back, and has ended in another way')] : []),
          ...(gone > 0 ? [say(run, `${gone} messages are out of the context, and it was not rolled back`)] : []),
        ];
      }
      const others = (listeners.get(scriptMark(run.requestId)) ?? []).filter(({ script }) => script !== run.requestId);
      return [
        ...(run.rollsBack ? [] : [say(run, 'it was rolled back, and nobody has asked for it')]),
        ...(gone === own.length ? [] : [say(run, `${own.length - gone} messages are still in the context`)]),
        ...others.slice(0, 1).map(({ script }) => say(run, `script ${script} was played after it, and heard of it`)),
      ];
    });
}
