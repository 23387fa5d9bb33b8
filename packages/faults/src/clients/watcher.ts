import { ClientView } from './client-view.ts';
import { followStream } from './follow-stream.ts';
import type { RecordedClient } from './recorded-client.ts';

export interface WatcherOptions {
  readonly client: RecordedClient;
  readonly sessionId: string;
  /** Milliseconds after which it leaves and comes again; undefined = it stays. */
  readonly stayMs?: () => number;
  /** Told of the text that it has just got: block and its bytes so far. */
  readonly onText?: (blockId: string, bytes: number) => void;
  readonly untilReading?: () => Promise<void>;
}

/** Somebody who watches a session until told to stop, and then reads what is missing up to the end of the log. */
export class Watcher {
  readonly view: ClientView;
  readonly #options: WatcherOptions;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;

  constructor(options: WatcherOptions) {
    const { client, sessionId } = options;
    this.#options = options;
    this.view = new ClientView({ client: client.name, uid: client.uid, sessionId, form: 'exact' });
    this.#done = this.#follow(true, this.#stop.signal, () => false);
    this.#done.catch(() => undefined);
  }

  /** Stops watching; resolves when it has everything that is stored. Rejects when a service refused it for good. */
  async finish(): Promise<void> {
    this.#stop.abort();
    await this.#done;
    let isCaughtUp = false;
    const end = new AbortController();
    await this.#follow(
      false,
      end.signal,
      () => isCaughtUp,
      (caughtUp) => {
        isCaughtUp ||= caughtUp;
        if (caughtUp) {
          end.abort();
        }
      },
    );
    this.view.isComplete = true;
  }

  #follow(
    live: boolean,
    signal: AbortSignal,
    isOver: () => boolean,
    onCaughtUp: (isCaughtUp: boolean) => void = () => undefined,
  ): Promise<void> {
    const { client, sessionId, stayMs, untilReading, onText } = this.#options;
    return followStream({
      rpc: 'WatchSession',
      ...{ client, view: this.view, signal },
      ...(live && stayMs !== undefined ? { stayMs } : {}),
      ...(live && untilReading !== undefined ? { untilReading } : {}),
      open: (afterSeq, stop) =>
        client.sessions.watchSession({ sessionId, afterSeq, live }, { signal: stop, headers: client.headers }),
      onMessage: ({ caughtUp }) => onCaughtUp(caughtUp !== undefined),
      onEvent: ({ data }) => {
        if (data.case === 'textDelta' && data.value.text !== '') {
          onText?.(data.value.blockId, Number(data.value.offset) + Buffer.byteLength(data.value.text));
        }
        return isOver();
      },
    });
  }
}
