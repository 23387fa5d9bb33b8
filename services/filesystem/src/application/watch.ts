import type { Clock } from '@spanwise/kernel';
import { DomainError } from '@spanwise/kernel';
import type { Caller } from '../domain/disk/caller.ts';
import { fileNotFound, notADirectory } from '../domain/disk/file-errors.ts';
import { VirtualPath } from '../domain/path/virtual-path.ts';
import type { PathChange } from '../domain/watching/path-difference.ts';
import type { CallerViews } from './caller-views.ts';
import type { PathRequest } from './path-request.ts';
import type { ChangeFeed, Followed } from './ports/change-feed.ts';
import type { TreeHistory } from './ports/tree-history.ts';
import type { SessionStreams } from './session-streams.ts';
import type { ViewTree } from './view-tree.ts';
import { WatchPace } from './watch-pace.ts';
import { followedDisks, WatchedView } from './watched-view.ts';

export interface WatchDeps {
  readonly views: CallerViews;
  readonly history: TreeHistory;
  readonly feed: ChangeFeed;
  readonly streams: SessionStreams;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Silence after which a sign of life is sent, in milliseconds; default 10 s. */
  readonly heartbeatMs?: number;
  /** How long a stream may take nothing while something waits for it, in milliseconds; default 30 s. */
  readonly slowMs?: number;
}

/** After this, what could not be read is read again. */
const retryMs = 1000;
/** Changes of a message at most, and characters of their paths. */
const full = { changes: 1000, characters: 256 * 1024 };

/** Tells which paths of a directory of a view change, as it happens. */
export class Watch {
  readonly #deps: WatchDeps;

  constructor(deps: WatchDeps) {
    this.#deps = deps;
  }

  /**
   * Messages of changes: an empty one once nothing is missed any more, and after each silence. What has changed together is in
   * one message, or in several that follow each other. While nothing is read nothing is kept: what is told then is the
   * difference to what was told before. While a disk or the database is away there is silence.
   *
   * Throws VIEW_NOT_FOUND, also when the view is deleted, PATH_INVALID, NOT_GRANTED, FILE_NOT_FOUND, NOT_A_DIRECTORY,
   * TOO_MANY_STREAMS and WATCHER_TOO_SLOW.
   */
  async *execute(
    caller: Caller,
    request: PathRequest,
    signal: AbortSignal,
  ): AsyncGenerator<readonly PathChange[], void> {
    const { views, streams, feed, slowMs = 30_000 } = this.#deps;
    const tree = await views.open(caller, request.viewId);
    const top = VirtualPath.parse(request.path);
    tree.assertMay('read', top);
    using resources = new DisposableStack();
    resources.use(streams.open(tree.view.sessionId));
    const followed = resources.use(feed.follow(followedDisks(tree), tree.layer && tree.view.id));
    // A generator that nobody asks for more can not end by itself.
    const release = () => resources.dispose();
    signal.addEventListener('abort', release, { once: true });
    try {
      using pace = new WatchPace(followed, release, slowMs);
      for await (const { message, more } of this.#messages(caller, tree, top, followed, signal)) {
        pace.more = more;
        pace.handed();
        yield message;
        pace.taken();
      }
    } finally {
      signal.removeEventListener('abort', release);
    }
  }

  async *#messages(
    caller: Caller,
    tree: ViewTree,
    top: VirtualPath,
    followed: Followed,
    signal: AbortSignal,
  ): AsyncGenerator<Message, void> {
    const { views, history, clock, heartbeatMs = 10_000 } = this.#deps;
    const watched = new WatchedView({ views, history, followed, caller, tree, top });
    await watched.begin(signal);
    const node = await tree.stat(top, signal);
    if (node?.kind !== 'directory') {
      throw node === undefined ? fileNotFound(top) : notADirectory(top);
    }
    yield { message: [], more: 0 };
    let saidMs = clock.monotonicMs();
    let isBehind = false;
    for (;;) {
      const silenceMs = Math.max(0, saidMs + heartbeatMs - clock.monotonicMs());
      const hasNews = await followed.news(isBehind ? retryMs : silenceMs, signal);
      if (hasNews || isBehind) {
        const changes = await unlessAway(watched.advance(signal));
        isBehind = changes === undefined;
        const messages = [...messagesOf(changes ?? [])];
        for (const [index, message] of messages.entries()) {
          yield { message, more: messages.length - index - 1 };
          saidMs = clock.monotonicMs();
        }
      } else if (clock.monotonicMs() - saidMs >= heartbeatMs) {
        // The data of its session may have been deleted.
        await unlessAway(views.find(caller, tree.view.id));
        yield { message: [], more: 0 };
        saidMs = clock.monotonicMs();
      }
    }
  }
}

interface Message {
  readonly message: readonly PathChange[];
  /** Messages that follow it and are ready. */
  readonly more: number;
}

/** Undefined while a disk or the database does not answer. */
async function unlessAway<Result>(work: Promise<Result>): Promise<Result | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof DomainError && error.kind === 'unavailable') {
      return undefined;
    }
    throw error;
  }
}

function* messagesOf(changes: readonly PathChange[]): Generator<readonly PathChange[]> {
  let message: PathChange[] = [];
  let characters = 0;
  for (const change of changes) {
    message.push(change);
    characters += change.path.text.length;
    if (message.length >= full.changes || characters >= full.characters) {
      yield message;
      message = [];
      characters = 0;
    }
  }
  if (message.length > 0) {
    yield message;
  }
}
