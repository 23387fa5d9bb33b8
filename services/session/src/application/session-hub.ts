import type { SessionId } from '@spanwise/kernel';
import { tooManyWatchers } from '../domain/event/event-errors.ts';
import { LiveChannel } from './live-channel.ts';
import { bytesOf, type LivePosition, type Published } from './published.ts';
import { Subscription } from './subscription.ts';

/** What streams of a session may do. */
export interface WatchLimits {
  /** Streams of one session that a process serves at most. Default 50. */
  readonly maxWatchers: number;
  /** How long a stream may take nothing while something waits for it. Default 30 s. */
  readonly slowMs: number;
}

const defaultLimits: WatchLimits = { maxWatchers: 50, slowMs: 30_000 };
/** How long the clients of a driver that lost its run should wait: the next one needs a moment. */
const nextDriverMs = 200;

/** The driver's side: shows what its run says. Once another one was opened for the session it does nothing any more. */
export interface Publisher {
  publish(entries: readonly Published[]): void;
  /** The driver has let go of the session. */
  close(): void;
  /** The driver was fenced or lost its run: its watchers are sent to whoever has it now. */
  handOff(): void;
}

/**
 * Joins the drivers and the watchers of the sessions of this process. A driver never waits for a watcher. What another
 * replica's driver shows comes in as if it were driven here.
 */
export class SessionHub {
  readonly limits: WatchLimits;
  readonly #channels = new Map<SessionId, LiveChannel>();
  readonly #watchers = new Map<SessionId, Set<Subscription>>();
  /** Streams of runs that have not begun. */
  readonly #queued = new Map<SessionId, Set<Subscription>>();
  readonly #onCatchUp: (sessionId: SessionId) => void;
  #isDraining = false;

  /** `onCatchUp` is told of watchers whose queue was full, when they read the log instead. */
  constructor(limits: Partial<WatchLimits> = {}, onCatchUp: (sessionId: SessionId) => void = () => undefined) {
    this.limits = { ...defaultLimits, ...limits };
    this.#onCatchUp = onCatchUp;
  }

  /** Called by the driver of a session before it writes; events up to `lastSeq` are in the log. */
  open(sessionId: SessionId, lastSeq: number): Publisher {
    const publisher = this.#open(sessionId, new LiveChannel({ lastSeq, tails: [] }, true));
    // What the start of the run has committed is news for those who watch already.
    this.tellLastSeq(sessionId, lastSeq);
    this.tellRunChanged(sessionId);
    return publisher;
  }

  /** Another replica drives the session and shows it from this position on. Undefined when it is driven here. */
  openRemote(sessionId: SessionId, position: LivePosition): Publisher | undefined {
    if (this.#channels.get(sessionId)?.isDrivenHere === true) {
      return undefined;
    }
    const publisher = this.#open(sessionId, new LiveChannel(position, false));
    // They lack the text that was shown before.
    this.#watchers.get(sessionId)?.forEach((watcher) => watcher.fallBehind());
    return publisher;
  }

  /** Throws TOO_MANY_WATCHERS. Of a process that drains it is handed off at once. */
  subscribe(sessionId: SessionId): Subscription {
    return this.#subscribe(this.#watchers, sessionId);
  }

  /** Waits for a run in the queue: hears of changes, not of events. Counts like a watcher. */
  awaitRun(sessionId: SessionId): Subscription {
    return this.#subscribe(this.#queued, sessionId);
  }

  /** All that is shown of a session from its position on, for another replica. Undefined when it is not driven here. */
  tail(sessionId: SessionId): { readonly position: LivePosition; readonly subscription: Subscription } | undefined {
    const channel = this.#channels.get(sessionId);
    if (channel?.isDrivenHere !== true) {
      return undefined;
    }
    const subscription: Subscription = new Subscription(
      () => undefined,
      () => channel.peers.delete(subscription),
    );
    channel.peers.add(subscription);
    return { position: channel.position(), subscription };
  }

  /** Whether another stream of a session is served. */
  hasRoom(sessionId: SessionId): boolean {
    const count = (this.#watchers.get(sessionId)?.size ?? 0) + (this.#queued.get(sessionId)?.size ?? 0);
    return count < this.limits.maxWatchers;
  }

  /** Throws TOO_MANY_WATCHERS. */
  assertRoom(sessionId: SessionId): void {
    if (!this.hasRoom(sessionId)) {
      throw tooManyWatchers(this.limits.maxWatchers);
    }
  }

  /** Sessions that are watched here and driven elsewhere, or not at all. */
  watchedElsewhere(): readonly SessionId[] {
    return [...this.#watchers.keys()].filter((id) => this.#channels.get(id)?.isDrivenHere !== true);
  }

  /** Tells watchers how far the log of a session has grown without being shown here. */
  tellLastSeq(sessionId: SessionId, lastSeq: number): void {
    this.#watchers.get(sessionId)?.forEach((watcher) => watcher.tellLastSeq(lastSeq));
  }

  /** The session is deleted and all its runs are over: its watchers are told what the log has, and end. */
  tellGone(sessionId: SessionId): void {
    this.#watchers.get(sessionId)?.forEach((watcher) => watcher.tellGone());
  }

  /** A run of the session was started or cancelled: those who wait for theirs look at it. */
  tellRunChanged(sessionId: SessionId): void {
    this.#queued.get(sessionId)?.forEach((watcher) => watcher.fallBehind());
  }

  /** Sends all watchers, and all that come from now on, to other replicas. Replicas that tail a driver here stay. */
  drain(): void {
    this.#isDraining = true;
    for (const watchers of [...this.#watchers.values(), ...this.#queued.values()]) {
      watchers.forEach((watcher) => watcher.handOff());
    }
  }

  #open(sessionId: SessionId, channel: LiveChannel): Publisher {
    this.#channels.get(sessionId)?.end();
    this.#channels.set(sessionId, channel);
    const isCurrent = () => this.#channels.get(sessionId) === channel;
    const close = () => {
      this.#channels.delete(sessionId);
      channel.end();
    };
    return {
      publish: (entries) => {
        if (entries.length > 0 && isCurrent()) {
          channel.note(entries);
          this.#show(channel, this.#watchers.get(sessionId), entries);
        }
      },
      close: () => {
        if (isCurrent()) {
          close();
        }
      },
      handOff: () => {
        if (isCurrent()) {
          close();
          this.#watchers.get(sessionId)?.forEach((watcher) => watcher.handOff(nextDriverMs));
        }
      },
    };
  }

  #show({ peers }: LiveChannel, watchers: ReadonlySet<Subscription> | undefined, entries: readonly Published[]): void {
    if (watchers !== undefined || peers.size > 0) {
      const bytes = bytesOf(entries);
      watchers?.forEach((watcher) => watcher.push(entries, bytes));
      peers.forEach((peer) => peer.push(entries, bytes));
    }
  }

  #subscribe(group: Map<SessionId, Set<Subscription>>, sessionId: SessionId): Subscription {
    this.assertRoom(sessionId);
    const all = group.get(sessionId) ?? new Set();
    group.set(sessionId, all);
    const subscription: Subscription = new Subscription(
      () => this.#channels.get(sessionId)?.position(),
      () => {
        all.delete(subscription);
        if (all.size === 0 && group.get(sessionId) === all) {
          group.delete(sessionId);
        }
      },
      () => this.#onCatchUp(sessionId),
    );
    all.add(subscription);
    if (this.#isDraining) {
      subscription.handOff();
    }
    return subscription;
  }
}
