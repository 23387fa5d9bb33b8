import { callsOf } from '../domain/message/message.ts';
import type { RunEnd } from '../domain/run/run-outcome.ts';
import type { RunWork } from './open-turn.ts';
import type { TakeTurn } from './take-turn.ts';

/** How work ends that goes on in another dispatch. */
export const detached: RunEnd = { ended: 'yielded', why: 'detached' };

/**
 * Takes the turns of one dialogue until its agent is done or can not go on here: the turn first that an earlier dispatch has
 * not finished, then one after the other. Throws the signal's reason, CONTEXT_INVALID, and what the model failed with.
 */
export async function takeTurns(takeTurn: TakeTurn, work: RunWork): Promise<RunEnd> {
  const { run, stop, dialogue } = work;
  run.resume(dialogue);
  if (callsOf(dialogue.at(-1)).length > 0) {
    const end = stop.isLeaving ? detached : await takeTurn.resume(work);
    if (end !== undefined) {
      return end;
    }
  }
  const finish = run.finishOf(dialogue);
  let end: RunEnd | undefined = finish === undefined ? undefined : { ended: 'completed', finish };
  while (end === undefined) {
    if (!run.hasTurns) {
      // Somebody else has taken the last one meanwhile.
      end = { ended: 'completed', finish: 'max-turns' };
    } else {
      end = stop.isLeaving ? detached : await takeTurn.execute(work);
    }
  }
  return end;
}
