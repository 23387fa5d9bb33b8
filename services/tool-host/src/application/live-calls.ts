import type { CallId, RunId, SessionId } from '@spanwise/kernel';
import type { ExecutionKey } from '../domain/execution/execution.ts';
import { shuttingDown } from '../domain/execution/execution-errors.ts';
import type { ToolCall } from '../domain/tool/tool-call.ts';

/** What became of a call in this process: its tool came to an end, was stopped before it did, or was never called. */
export type LiveEnd = 'finished' | 'stopped' | 'not-begun';

/** A call that this process works on. */
export class LiveCall {
  readonly sessionId: SessionId;
  readonly runId: RunId;
  readonly callId: CallId;
  readonly epoch: number;
  readonly tool: string;
  readonly #stop = new AbortController();
  readonly #settled = Promise.withResolvers<void>();
  #work: Promise<unknown> = Promise.resolve();
  #end: LiveEnd = 'not-begun';
  #isLedgered = false;
  #hasReturned = true;

  constructor({ sessionId, runId, callId, epoch, tool }: ToolCall) {
    this.sessionId = sessionId;
    this.runId = runId;
    this.callId = callId;
    this.epoch = epoch;
    this.tool = tool;
  }

  /** Aborts when the call is to be stopped, with the reason for it. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  get end(): LiveEnd {
    return this.#end;
  }

  /** True when the ledger has a row of this execution. */
  get isLedgered(): boolean {
    return this.#isLedgered;
  }

  /** True while the tool is not at work, whether it was called or not. */
  get hasReturned(): boolean {
    return this.#hasReturned;
  }

  /** Resolves when what became of the call is in the ledger, as far as that can be had. The tool may still be at work. */
  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  /** Resolves when the call is settled and nothing of the tool is at work any more; it may never. */
  get gone(): Promise<void> {
    return this.settled.then(() => this.#work).then(() => undefined);
  }

  stop(reason: unknown): void {
    this.#stop.abort(reason);
  }

  /** The tool is called from now on. Until `finish` it counts as stopped. */
  begin(isLedgered: boolean): void {
    this.#isLedgered = isLedgered;
    this.#end = 'stopped';
  }

  /** Watches the tool at work. */
  follow<Result>(work: Promise<Result>): Promise<Result> {
    this.#hasReturned = false;
    const returned = () => {
      this.#hasReturned = true;
    };
    this.#work = work.then(returned, returned);
    return work;
  }

  finish(): void {
    this.#end = 'finished';
  }

  settle(): void {
    this.#settled.resolve();
  }
}

/** All calls that this process works on. */
export class LiveCalls {
  readonly #calls = new Set<LiveCall>();
  readonly #unsettled = new Map<string, LiveCall>();
  #isClosed = false;

  /** Takes a call in. Throws SHUTTING_DOWN after `close`. */
  enter(call: ToolCall): LiveCall {
    if (this.#isClosed) {
      throw shuttingDown();
    }
    const live = new LiveCall(call);
    this.#calls.add(live);
    void live.gone.then(() => this.#calls.delete(live));
    return live;
  }

  /** Names the one of several attempts at a call that executes it. */
  execute(live: LiveCall): void {
    this.#unsettled.set(keyOf(live), live);
    void live.settled.then(() => {
      if (this.#unsettled.get(keyOf(live)) === live) {
        this.#unsettled.delete(keyOf(live));
      }
    });
  }

  /** Resolves when the call is no longer executed here, at once when it is not. */
  async ended(key: ExecutionKey): Promise<void> {
    await this.#unsettled.get(keyOf(key))?.settled;
  }

  /** True while an execution of the call goes on here. */
  isExecuting(key: ExecutionKey): boolean {
    return this.#unsettled.has(keyOf(key));
  }

  /** The calls of a session up to an epoch. */
  ofSession(sessionId: SessionId, epoch: number): readonly LiveCall[] {
    return [...this.#calls].filter((call) => call.sessionId === sessionId && call.epoch <= epoch);
  }

  /** Stops all that the ledger has rows of. */
  stopLedgered(reason: unknown): void {
    this.#stop(reason, (call) => call.isLedgered);
  }

  stopAll(reason: unknown): void {
    this.#stop(reason, () => true);
  }

  /** Takes no further calls. */
  close(): void {
    this.#isClosed = true;
  }

  /** Resolves when all calls that are there now are settled. */
  async idle(): Promise<void> {
    await Promise.all([...this.#calls].map(({ settled }) => settled));
  }

  #stop(reason: unknown, isMeant: (call: LiveCall) => boolean): void {
    for (const call of this.#calls) {
      if (isMeant(call)) {
        call.stop(reason);
      }
    }
  }
}

function keyOf({ runId, callId }: ExecutionKey): string {
  return `${runId}:${callId}`;
}
