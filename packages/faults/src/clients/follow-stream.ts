import { setTimeout as delay } from 'node:timers/promises';
import { SpanwiseError } from '@spanwise/client';
import type { AgentEvent } from '@spanwise/contracts/spanwise/event/v1/event';
import type { Handoff } from '@spanwise/contracts/spanwise/session/v1/session';
import type { ClientView } from './client-view.ts';
import type { ReconnectEntry } from './history.ts';
import { isPassing, type RecordedClient } from './recorded-client.ts';

/** What messages of both event streams have. */
interface StreamMessage {
  readonly events: AgentEvent[];
  readonly handoff?: Handoff | undefined;
}

export interface FollowOptions<Message extends StreamMessage> {
  readonly rpc: string;
  readonly client: RecordedClient;
  readonly view: ClientView;
  readonly signal: AbortSignal;
  readonly open: (afterSeq: bigint, signal: AbortSignal) => AsyncIterable<Message>;
  /** Told of every message, before its events are. */
  readonly onMessage?: (message: Message) => void;
  /** Told of every event. True: this was all. */
  readonly onEvent: (event: AgentEvent) => boolean;
  /** Asked when a stream has come to its end by itself. True: there is nothing more to come. */
  readonly isOver?: () => boolean;
  /** Milliseconds after which the client leaves and comes again; undefined = it stays. */
  readonly stayMs?: () => number;
  /** While it resolves later, nothing is read: the client is a stalled one. */
  readonly untilReading?: () => Promise<void>;
}

/** Silence that counts as a break. */
const silenceMs = 25_000;

type End = ReconnectEntry['why'] | 'done';

/**
 * Follows a stream over all breaks into a view. Resolves when `onEvent` has said so, or the signal is aborted; rejects when
 * the service refuses for good.
 */
export async function followStream<Message extends StreamMessage>(options: FollowOptions<Message>): Promise<void> {
  const { client, view, signal } = options;
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    const before = view.cursor;
    const end = await readOnce(options);
    if (end === 'done' || signal.aborted) {
      return;
    }
    attempt = view.cursor > before ? 0 : attempt;
    const entry = { client: client.name, sessionId: view.sessionId, why: end, afterSeq: view.cursor };
    client.history.add({ kind: 'reconnect', ...entry });
    const pauseMs = end === 'handoff' || end === 'at-random' ? 10 : Math.min(1000, 50 * 2 ** attempt);
    await delay(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}

async function readOnce<Message extends StreamMessage>(options: FollowOptions<Message>): Promise<End> {
  const { client, rpc, signal, stayMs } = options;
  const connection = new AbortController();
  let why: End = 'ended-early';
  const leave = (reason: End) => {
    why = reason;
    connection.abort();
  };
  const onAbort = () => connection.abort();
  signal.addEventListener('abort', onAbort, { once: true });
  const going = stayMs === undefined ? undefined : setTimeout(() => leave('at-random'), stayMs());
  const startedMs = performance.now();
  const record = (code: number, reason: string) =>
    client.history.add({
      ...{ kind: 'call', client: client.name, rpc, deadlineMs: undefined, code, reason },
      tookMs: performance.now() - startedMs,
    });
  try {
    const end = await readMessages(options, connection.signal, leave);
    record(0, '');
    return end ?? (why === 'ended-early' && options.isOver?.() === true ? 'done' : why);
  } catch (error) {
    if (connection.signal.aborted) {
      return why;
    }
    const failure = SpanwiseError.from(error);
    record(failure.code, failure.reason);
    // Whoever has not read for long watches again from where it is.
    if (!isPassing(failure) && failure.reason !== 'WATCHER_TOO_SLOW') {
      throw failure;
    }
    return 'broken';
  } finally {
    clearTimeout(going);
    signal.removeEventListener('abort', onAbort);
    connection.abort();
  }
}

/** Undefined when the stream came to its end by itself. */
async function readMessages<Message extends StreamMessage>(
  { open, view, onMessage, onEvent, untilReading }: FollowOptions<Message>,
  signal: AbortSignal,
  leave: (why: End) => void,
): Promise<End | undefined> {
  const listen = () => setTimeout(() => leave('silence'), silenceMs);
  let silence = listen();
  try {
    for await (const message of open(BigInt(view.cursor), signal)) {
      clearTimeout(silence);
      onMessage?.(message);
      for (const event of message.events) {
        if (!view.accept(event)) {
          return 'hole';
        }
        if (onEvent(event)) {
          return 'done';
        }
      }
      if (message.handoff !== undefined) {
        return 'handoff';
      }
      await untilReading?.();
      silence = listen();
    }
    return undefined;
  } finally {
    clearTimeout(silence);
  }
}
