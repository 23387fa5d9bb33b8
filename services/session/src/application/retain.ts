import type { Clock, SessionId } from '@spanwise/kernel';
import type { RetentionPolicy, RetentionRepository } from '../domain/session/retention-repository.ts';
import type { SessionData } from './ports/session-data.ts';
import { repeat } from './repeat.ts';

/** Sessions that one look takes. */
const page = 200;

export interface RetainDeps {
  readonly retention: RetentionRepository;
  readonly data: SessionData;
  readonly clock: Clock;
  readonly policy: RetentionPolicy;
  /** How long a deleted session is kept. */
  readonly purgeAfterMs: number;
  /** Told of a session that could not be purged; the next time tries again. */
  readonly onError: (error: unknown) => void;
}

/** What was thrown away. */
export interface Retained {
  readonly trimmedSessions: number;
  readonly trimmedEvents: number;
  readonly purgedSessions: number;
}

/**
 * Throws away what is not to be kept: the oldest events of ended runs, as a prefix of whole runs, and sessions that were
 * deleted long enough ago, here and in the other services. Done by several processes at once it is done once.
 */
export class Retain {
  readonly #deps: RetainDeps;

  constructor(deps: RetainDeps) {
    this.#deps = deps;
  }

  /** Throws DATABASE_UNAVAILABLE. Ends early when the signal is aborted. */
  async execute(signal: AbortSignal): Promise<Retained> {
    const trimmed = await this.#trim(signal);
    return { ...trimmed, purgedSessions: await this.#purge(signal) };
  }

  async #trim(signal: AbortSignal) {
    const { retention, policy, clock } = this.#deps;
    let [trimmedSessions, trimmedEvents] = [0, 0];
    let after: SessionId | undefined;
    if (policy.maxEvents === undefined && policy.maxAgeMs === undefined) {
      return { trimmedSessions, trimmedEvents };
    }
    for (;;) {
      const sessions = await retention.trimmable(policy, clock.nowMs(), after, page);
      for (const { id, untilSeq } of sessions) {
        if (untilSeq !== undefined && !signal.aborted) {
          trimmedSessions += 1;
          trimmedEvents += await retention.trim(id, untilSeq);
        }
      }
      after = sessions.at(-1)?.id;
      if (sessions.length < page || signal.aborted) {
        return { trimmedSessions, trimmedEvents };
      }
    }
  }

  async #purge(signal: AbortSignal): Promise<number> {
    const { retention, data, clock, purgeAfterMs, onError } = this.#deps;
    let purged = 0;
    for (const { id, uid } of await retention.purgeable(clock.nowMs() - purgeAfterMs, page)) {
      if (signal.aborted) {
        break;
      }
      try {
        // The others first: as long as the session is here, it is found again.
        await data.delete(id, uid, signal);
        await retention.purge(id);
        purged += 1;
      } catch (error) {
        onError(error);
      }
    }
    return purged;
  }
}

/** Does it now and then, when it is to be done at all. */
export function retainEvery(everyMs: number, retain: Retain, onError: (error: unknown) => void): AsyncDisposable {
  const end = new AbortController();
  const stop =
    everyMs === 0
      ? () => Promise.resolve()
      : repeat(everyMs, onError, async () => {
          await retain.execute(end.signal);
        });
  return {
    async [Symbol.asyncDispose]() {
      end.abort();
      await stop();
    },
  };
}
