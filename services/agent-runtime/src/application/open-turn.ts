import { DomainError, type IdGenerator, type OpenSpan, type SpanEnd } from '@spanwise/kernel';
import { type Message, type ToolResultPart, toolMessage } from '../domain/message/message.ts';
import type { ChosenModel } from '../domain/model/model-provider.ts';
import type { Run } from '../domain/run/run.ts';
import { isFenced } from '../domain/run/run-errors.ts';
import type { CallBatch } from '../domain/tool/call-batch.ts';
import type { Tool } from '../domain/tool/tool.ts';
import { endedResult } from './answer-calls.ts';
import { announceMessage, commitMessage } from './commit-message.ts';
import type { Delegates } from './delegates.ts';
import type { RunLog } from './run-log.ts';
import type { RunSignal } from './run-signal.ts';

/** What the turns of one dialogue work with. */
export interface RunWork {
  readonly run: Run;
  readonly log: RunLog;
  readonly stop: RunSignal;
  readonly chosen: ChosenModel;
  /** What the model is offered, sorted by name. */
  readonly tools: readonly Tool[];
  /** All that the model sees; grows by up to two messages a turn. */
  readonly dialogue: Message[];
  /** Undefined when nothing is delegated. */
  readonly delegates: Delegates | undefined;
}

/** A turn that was begun and is ended once: with what it committed, or with what became of it. */
export class OpenTurn {
  readonly span: OpenSpan;
  readonly #work: RunWork;
  readonly #ids: Pick<IdGenerator, 'uuid'>;
  /** Calls whose message is committed, or on its way to it, while the message with their results is not. */
  #batch: CallBatch | undefined;

  constructor(work: RunWork, span: OpenSpan, ids: Pick<IdGenerator, 'uuid'>) {
    this.#work = work;
    this.span = span;
    this.#ids = ids;
  }

  /** From now on every call of the batch needs a result. */
  hold(batch: CallBatch): void {
    this.#batch = batch;
  }

  /** A result that no tool gave: it is committed with the next message. */
  answer(batch: CallBatch, value: ToolResultPart): void {
    batch.answer(value);
    this.#work.log.end(this.span.context.span, { case: 'toolResult', value });
  }

  /** Commits the results of all calls, and ends the turn with them. */
  async commitResults(batch: CallBatch): Promise<void> {
    const { log, stop, dialogue } = this.#work;
    const results = this.#resultsOf(batch);
    this.#batch = undefined;
    dialogue.push(results);
    await commitMessage(log, stop, results, this.span.context.span, () => this.end());
  }

  end(): void {
    this.span.end({ status: 'ok' });
  }

  /**
   * Ends it because of an error, and gives the calls that are left their results. Nobody waits for the ack: the driver
   * commits in the order of the stream, and may have stopped to answer. Of a turn that goes on in another dispatch nothing
   * more is said.
   */
  close(error: unknown): void {
    const { log, stop } = this.#work;
    if (stop.isLeft || isFenced(stop.signal.reason)) {
      return;
    }
    const end: SpanEnd = stop.signal.aborted
      ? { status: 'cancelled' }
      : { status: 'error', errorType: error instanceof DomainError ? error.reason : 'INTERNAL' };
    const batch = this.#batch;
    if (batch === undefined) {
      this.span.end(end);
      return;
    }
    batch.unanswered().forEach((unanswered) => this.answer(batch, endedResult(unanswered)));
    const results = this.#resultsOf(batch);
    announceMessage(log, results, this.span.context.span);
    this.span.end(end);
    log.checkpoint([results]).catch(() => undefined);
  }

  #resultsOf(batch: CallBatch): Message {
    return toolMessage(this.#ids.uuid(), this.#work.run.dispatch.runId, batch.results());
  }
}
