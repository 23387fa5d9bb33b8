import type { SessionId } from '@spanwise/kernel';
import { bytesAtMost } from '../domain/event/event-size.ts';
import { noActiveRun } from '../domain/run/run-errors.ts';
import type { TailStep } from './ports/peers.ts';
import type { SessionHub } from './session-hub.ts';
import { sizeGroups } from './size-groups.ts';

/** Nothing is said in silence, for the connection has pings of its own; this is only how often it is looked at. */
const silenceMs = 60_000;

/**
 * Shows another replica what the driver of a session shows here. Ends when it is not driven here any more, and when the
 * other one is too slow: there is no log to catch it up from, so it asks again.
 */
export class TailSession {
  readonly #hub: SessionHub;

  constructor({ hub }: { readonly hub: SessionHub }) {
    this.#hub = hub;
  }

  /** Throws NO_ACTIVE_RUN. */
  async *execute(sessionId: SessionId, signal: AbortSignal): AsyncGenerator<TailStep, void> {
    const tail = this.#hub.tail(sessionId);
    if (tail === undefined) {
      throw noActiveRun();
    }
    using subscription = tail.subscription;
    yield { kind: 'position', ...tail.position };
    for (;;) {
      const taken = await subscription.take(silenceMs, signal);
      if (taken.kind === 'events') {
        for (const entries of sizeGroups(taken.entries, ({ event }) => bytesAtMost(event))) {
          yield { kind: 'entries', entries };
        }
      } else if (taken.kind !== 'silence') {
        return;
      }
    }
  }
}
