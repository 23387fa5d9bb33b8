import { watcherTooSlow } from '../domain/watching/watch-errors.ts';
import type { Followed } from './ports/change-feed.ts';

/**
 * Watches whether a stream is read. A client that does not read fills the windows of HTTP/2; then nobody asks the stream's
 * generator for more, and a generator that nobody asks can not throw. So after `slowMs` it is released, which frees its place
 * among the watchers at once, and the error comes when the client reads on.
 */
export class WatchPace implements Disposable {
  readonly #followed: Followed;
  readonly #release: () => void;
  readonly #timer: NodeJS.Timeout;
  /** Messages that follow the one that was handed, and are ready. */
  more = 0;
  #isHanded = false;
  #isTooSlow = false;

  /** `slowMs` is how long a stream may take nothing while something waits for it. */
  constructor(followed: Followed, release: () => void, slowMs: number) {
    this.#followed = followed;
    this.#release = release;
    this.#timer = setTimeout(() => this.#look(), slowMs);
  }

  /** A message is handed to whoever sends it. */
  handed(): void {
    this.#isHanded = true;
    this.#timer.refresh();
  }

  /** It was taken. Throws WATCHER_TOO_SLOW when that was too late. */
  taken(): void {
    this.#isHanded = false;
    if (this.#isTooSlow) {
      throw watcherTooSlow();
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #look(): void {
    if (this.#isHanded && (this.#followed.hasNews || this.more > 0)) {
      this.#isTooSlow = true;
      this.#release();
    } else {
      this.#timer.refresh();
    }
  }
}
