import type { ExecSpan, OpenSpan } from '@spanwise/kernel';
import type { Message } from '../domain/message/message.ts';
import type { RunLog } from './run-log.ts';
import type { RunSignal } from './run-signal.ts';
import { untilAborted } from './until-aborted.ts';

/**
 * Commits a message to the model context, together with the ends that wait and the end of `span` if it is given. Throws
 * the signal's reason, also when the driver answers that the run is to be cancelled.
 */
export async function commitMessage(
  log: RunLog,
  stop: RunSignal,
  message: Message,
  parent: ExecSpan,
  span?: OpenSpan,
): Promise<void> {
  announceMessage(log, message, parent);
  span?.end({ status: 'ok' });
  const { cancelRequested } = await untilAborted(log.checkpoint([message]), stop.signal);
  if (cancelRequested) {
    stop.cancel();
  }
  stop.signal.throwIfAborted();
}

/** Says MESSAGE with the next checkpoint; the driver fills in its place in the context. */
export function announceMessage(log: RunLog, { id, role }: Message, parent: ExecSpan): void {
  log.end(parent, { case: 'message', value: { messageId: id, role, contextSeq: 0n } });
}
