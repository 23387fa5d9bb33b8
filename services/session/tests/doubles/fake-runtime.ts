import { DomainError } from '@spanwise/kernel';
import type {
  AgentRuntime,
  Dispatch,
  Execution,
  ExecutorOutcome,
  RuntimeFrame,
} from '../../src/application/ports/agent-runtime.ts';
import type { ContextRow } from '../../src/domain/context/llm-context.ts';
import type { UnplacedEvent } from '../../src/domain/event/agent-event.ts';
import { runtimeUnavailable } from '../../src/domain/run/run-errors.ts';
import { FrameQueue } from '../../src/infrastructure/clients/frame-queue.ts';

/** An executor that says what the test tells it to, and keeps what it hears. */
export class FakeExecution implements Execution {
  readonly dispatch: Dispatch;
  readonly signal: AbortSignal;
  readonly acks: { readonly index: bigint; readonly isCancelRequested: boolean }[] = [];
  readonly aborts: string[] = [];
  readonly detaches: number[] = [];
  readonly #frames = new FrameQueue<RuntimeFrame>();
  #checkpoints = 0n;

  constructor(dispatch: Dispatch, signal: AbortSignal) {
    this.dispatch = dispatch;
    this.signal = signal;
    signal.addEventListener('abort', () => this.lose());
  }

  get frames(): AsyncIterable<RuntimeFrame> {
    return this.#frames;
  }

  acknowledge(index: bigint, isCancelRequested: boolean): void {
    this.acks.push({ index, isCancelRequested });
  }

  abort(reason: string): void {
    this.aborts.push(reason);
  }

  detach(graceMs: number): void {
    this.detaches.push(graceMs);
  }

  say(...events: readonly UnplacedEvent[]): void {
    this.#frames.push({ kind: 'events', events });
  }

  checkpoint(events: readonly UnplacedEvent[], contextRows: readonly ContextRow[] = [], spec?: Uint8Array): void {
    this.#checkpoints += 1n;
    this.#frames.push({ kind: 'checkpoint', index: this.#checkpoints, events, contextRows, spec });
  }

  /** The executor lets go of the run. */
  yield(reason: 'waiting' | 'detached'): void {
    this.#frames.push({ kind: 'yield', reason });
  }

  finish(outcome: ExecutorOutcome = { kind: 'completed', finishReason: 1 }): void {
    this.#frames.push({ kind: 'finish', end: { outcome, usage: undefined } });
  }

  /** The executor fails in a way that another one would as well. */
  fail(): void {
    this.lose(new DomainError('internal', 'INTERNAL', 'broken'));
  }

  /** The executor is gone. */
  lose(error: unknown = runtimeUnavailable('killed')): void {
    this.#frames.fail(error);
  }

  /** Ends the stream as if all were well, though nothing was finished. */
  endWithoutFinish(): void {
    void this.#frames.return();
  }
}

/** A runtime whose executors are played by the test. */
export class FakeRuntime implements AgentRuntime {
  readonly executions: FakeExecution[] = [];
  /** False: nobody is there. */
  isUp = true;

  async isReady(): Promise<boolean> {
    return this.isUp;
  }

  execute(dispatch: Dispatch, signal: AbortSignal): Execution {
    const execution = new FakeExecution(dispatch, signal);
    this.executions.push(execution);
    return execution;
  }

  get last(): FakeExecution {
    const last = this.executions.at(-1);
    if (last === undefined) {
      throw runtimeUnavailable('nothing was dispatched');
    }
    return last;
  }
}
