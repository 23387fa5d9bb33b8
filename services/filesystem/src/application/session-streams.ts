import type { SessionId } from '@spanwise/kernel';
import { tooManyStreams } from '../domain/upload/upload-errors.ts';

/** Streams that a session has open at most, in this process. */
export const maxSessionStreams = 16;

/** Counts the open streams of sessions: whatever holds something while its caller is slow. */
export class SessionStreams {
  readonly #open = new Map<SessionId, number>();

  /** Counts a stream until it is disposed of. Throws TOO_MANY_STREAMS. */
  open(sessionId: SessionId): Disposable {
    const open = this.#open.get(sessionId) ?? 0;
    if (open >= maxSessionStreams) {
      throw tooManyStreams(maxSessionStreams);
    }
    this.#open.set(sessionId, open + 1);
    let isOpen = true;
    return {
      [Symbol.dispose]: () => {
        if (isOpen) {
          isOpen = false;
          this.#end(sessionId);
        }
      },
    };
  }

  #end(sessionId: SessionId): void {
    const left = (this.#open.get(sessionId) ?? 1) - 1;
    if (left > 0) {
      this.#open.set(sessionId, left);
    } else {
      this.#open.delete(sessionId);
    }
  }
}
