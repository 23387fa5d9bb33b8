import type { SessionId } from '@spanwise/kernel';
import type { InstanceRepository } from '../domain/instance/instance-repository.ts';
import type { RemoteTails } from './remote-tails.ts';
import { repeat } from './repeat.ts';
import type { SessionHub } from './session-hub.ts';

/** Sessions that one query asks for. */
const page = 1000;

export interface WatchPollDeps {
  readonly hub: SessionHub;
  readonly instances: Pick<InstanceRepository, 'watched'>;
  readonly tails: RemoteTails;
  /** How often the sessions that are watched here and not driven here are looked at; default 1 s. */
  readonly logPollMs: number;
  /** Told of a poll that failed; the next one tries again. */
  readonly onError: (error: unknown) => void;
}

/**
 * What makes watchers work whoever drives their sessions: one look into the database now and then for all of them tells
 * how far the logs are, whom to tail, and which of them are gone.
 */
export function startWatchPolls(deps: WatchPollDeps): AsyncDisposable {
  const stop = repeat(deps.logPollMs, deps.onError, () => lookAtWatched(deps));
  return { [Symbol.asyncDispose]: stop };
}

async function lookAtWatched({ hub, instances, tails }: WatchPollDeps): Promise<void> {
  const sessionIds = hub.watchedElsewhere();
  tails.keepOnly(sessionIds);
  for (const ids of pagesOf(sessionIds)) {
    const watched = await instances.watched(ids);
    const left = new Set(watched.map(({ sessionId }) => sessionId));
    ids.filter((id) => !left.has(id)).forEach((id) => hub.tellGone(id));
    for (const { sessionId, lastSeq, owner } of watched) {
      tails.follow(sessionId, owner);
      // Of one that is tailed the driver tells itself how far it is: what it has committed it is about to show.
      if (!tails.isOpen(sessionId)) {
        hub.tellLastSeq(sessionId, lastSeq);
      }
    }
  }
}

function* pagesOf(sessionIds: readonly SessionId[]): Generator<readonly SessionId[]> {
  for (let from = 0; from < sessionIds.length; from += page) {
    yield sessionIds.slice(from, from + page);
  }
}
