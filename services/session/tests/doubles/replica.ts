import type { SessionId } from '@spanwise/kernel';
import type { FollowQuery } from '../../src/application/follow-cursor.ts';
import { followLog } from '../../src/application/follow-log.ts';
import type { Peers } from '../../src/application/ports/peers.ts';
import { RemoteTails } from '../../src/application/remote-tails.ts';
import { SessionHub } from '../../src/application/session-hub.ts';
import { startWatchPolls } from '../../src/application/watch-polls.ts';
import type { Instance, InstanceRepository } from '../../src/domain/instance/instance-repository.ts';
import { Watcher } from './watcher.ts';
import { instanceId, type World } from './world.ts';

/** Who drives which session, as the database tells it; the test sets it. */
class WatchedSessions implements Pick<InstanceRepository, 'watched'> {
  readonly owners = new Map<SessionId, Instance>();
  readonly asked: (readonly SessionId[])[] = [];
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  async watched(sessionIds: readonly SessionId[]) {
    this.asked.push(sessionIds);
    const watched = await this.#world.instances.watched(sessionIds);
    return watched.map((each) => ({ ...each, owner: this.owners.get(each.sessionId) }));
  }
}

/** The replica that drives what a world drives. */
export const driver: Instance = { id: instanceId, address: 'http://driver' };

/** Another replica on the database of a world: watches what is driven there. */
export function replicaOf(world: World, peers: Peers, logPollMs = 1000) {
  const hub = new SessionHub();
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  const instances = new WatchedSessions(world);
  const tails = new RemoteTails({ hub, peers, ownId: () => 'the other replica', onError });
  const polls = startWatchPolls({ hub, instances, tails, logPollMs, onError });
  return {
    ...{ hub, tails, instances, errors },
    watch: (sessionId: SessionId, facts: Partial<FollowQuery> = {}) =>
      new Watcher((signal) =>
        followLog(
          { log: world.log, hub },
          { sessionId, afterSeq: 0, endsWithRun: false, live: true, ...facts },
          signal,
        ),
      ),
    async [Symbol.asyncDispose]() {
      await polls[Symbol.asyncDispose]();
      await tails[Symbol.asyncDispose]();
    },
  };
}
