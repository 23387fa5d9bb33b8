import type { ExecSpan } from '@spanwise/kernel';
import type { Message } from '../domain/message/message.ts';
import type { RunLog } from './run-log.ts';
import type { RunSignal } from './run-signal.ts';
import { untilAborted } from './until-aborted.ts';

/**
 * Commits a message to the model context, together with the ends that wait and with what `also` says. Returns before it
 * is committed only when the dispatch is left: the driver takes the message before it hears of that. Throws the signal's
 * reason, also when the driver answers that the run is to be cancelled.
 */
export async function commitMessage(
  log: RunLog,
  stop: RunSignal,
  message: Message,
  parent: ExecSpan,
  also: () => void = () => undefined,
): Promise<void> {
  announceMessage(log, message, parent);
  also();
  try {
    const { cancelRequested } = await untilAborted(log.checkpoint([message]), stop.halt);
    if (cancelRequested) {
      stop.cancel();
    }
  } catch (error) {
    if (!stop.isLeft) {
      throw error;
    }
  }
  stop.signal.throwIfAborted();
}

/** Says MESSAGE with the next checkpoint; the driver fills in its place in the context. */
export function announceMessage(log: RunLog, { id, role }: Message, parent: ExecSpan): void {
  log.end(parent, { case: 'message', value: { messageId: id, role, contextSeq: 0n } });
}
