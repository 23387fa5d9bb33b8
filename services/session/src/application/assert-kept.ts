import type { SessionId } from '@spanwise/kernel';
import type { AgentEvent } from '../domain/event/agent-event.ts';
import { cursorOutOfRange } from '../domain/event/event-errors.ts';
import type { EventLog } from '../domain/event/event-log.ts';
import { sessionNotFound } from '../domain/session/session-errors.ts';

/**
 * Tells rows of the log that were read after a cursor from such whose beginning was thrown away meanwhile. Comes after the
 * reading: a log says that it begins later before anything of it goes. Throws CURSOR_OUT_OF_RANGE, and SESSION_NOT_FOUND
 * when nothing is left at all.
 */
export async function assertKept(
  log: Pick<EventLog, 'bounds'>,
  sessionId: SessionId,
  afterSeq: number,
  rows: readonly AgentEvent[],
): Promise<void> {
  const [first] = rows;
  if (first !== undefined && Number(first.seq) === afterSeq + 1) {
    return;
  }
  const bounds = await log.bounds(sessionId);
  if (bounds === undefined) {
    throw sessionNotFound();
  }
  if (afterSeq < bounds.firstSeq - 1) {
    throw cursorOutOfRange(afterSeq, bounds.firstSeq, bounds.lastSeq);
  }
}
