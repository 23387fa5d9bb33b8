import { createWriteStream, type WriteStream } from 'node:fs';

/** When something happened, by both clocks of the process of the suite. */
interface Timed {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** Milliseconds of the monotonic clock. */
  readonly monotonicMs: number;
  readonly client: string;
}

/** A unary call or a stream that ended, however it ended. */
export interface CallEntry extends Timed {
  readonly kind: 'call';
  readonly rpc: string;
  readonly tookMs: number;
  /** Undefined for streams. */
  readonly deadlineMs: number | undefined;
  /** Number of the gRPC code; 0 = OK. */
  readonly code: number;
  /** Name in the catalogue; `TRANSPORT` when no service spoke, empty with OK. */
  readonly reason: string;
}

/** The answer to a request for a run. */
export interface StartedEntry extends Timed {
  readonly kind: 'started';
  readonly sessionId: string;
  readonly requestId: string;
  readonly runId: string;
}

/** The answer to a cancel. */
export interface CancelledEntry extends Timed {
  readonly kind: 'cancelled';
  readonly sessionId: string;
  readonly runId: string;
  readonly isAccepted: boolean;
  /** Whether the answer was to wait for the end. */
  readonly isWaited: boolean;
  readonly askedAtMs: number;
  readonly receipt: readonly { readonly name: string; readonly outcome: number }[];
}

/** A client asks for a run in the place of the active one, which is to be rolled back. */
export interface RollbackEntry extends Timed {
  readonly kind: 'rollback';
  readonly sessionId: string;
  /** Of the run that is to begin. */
  readonly requestId: string;
}

/** A client saw the terminal event of a run. */
export interface EndedEntry extends Timed {
  readonly kind: 'ended';
  readonly runId: string;
  readonly terminal: 'runEnd' | 'runError';
}

/** A stream was opened again, because it broke or because the suite wanted it to. */
export interface ReconnectEntry extends Timed {
  readonly kind: 'reconnect';
  readonly sessionId: string;
  readonly why: 'broken' | 'ended-early' | 'handoff' | 'hole' | 'at-random' | 'silence';
  readonly afterSeq: number;
}

/** Somebody asked for what belongs to another user. */
export interface ProbeEntry extends Timed {
  readonly kind: 'probe';
  readonly rpc: string;
  readonly sessionId: string;
  readonly code: number;
  /** Bytes of the session that the answer had. */
  readonly leakedBytes: number;
}

/** The pages of a list of events, joined. */
export interface ListedEntry extends Timed {
  readonly kind: 'listed';
  readonly sessionId: string;
  readonly seqs: readonly number[];
}

export type HistoryEntry =
  | CallEntry
  | StartedEntry
  | CancelledEntry
  | RollbackEntry
  | EndedEntry
  | ReconnectEntry
  | ProbeEntry
  | ListedEntry;

type Untimed<Entry> = Entry extends Timed ? Omit<Entry, 'atMs' | 'monotonicMs'> : never;

/** What clients asked and were told, in the order in which it happened; on demand also as lines of JSON in a file. */
export class History implements Disposable {
  readonly entries: HistoryEntry[] = [];
  readonly #file: WriteStream | undefined;

  constructor(path?: string) {
    this.#file = path === undefined ? undefined : createWriteStream(path);
  }

  add(entry: Untimed<HistoryEntry>): void {
    const timed = { ...entry, atMs: Date.now(), monotonicMs: performance.now() } as HistoryEntry;
    this.entries.push(timed);
    this.#file?.write(`${JSON.stringify(timed)}\n`);
  }

  [Symbol.dispose](): void {
    this.#file?.end();
  }
}
