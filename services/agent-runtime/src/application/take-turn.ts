import { DomainError, type IdGenerator, type OpenSpan, type SpanEnd } from '@spanwise/kernel';
import { assertAskable } from '../domain/message/context.ts';
import { type Message, type ToolResultPart, toolMessage } from '../domain/message/message.ts';
import type { ChosenModel } from '../domain/model/model-provider.ts';
import type { Run } from '../domain/run/run.ts';
import type { RunFinish } from '../domain/run/run-outcome.ts';
import { CallBatch } from '../domain/tool/call-batch.ts';
import type { Tool } from '../domain/tool/tool.ts';
import { endedResult, withheldResult } from './answer-calls.ts';
import type { AskModel } from './ask-model.ts';
import { announceMessage, commitMessage } from './commit-message.ts';
import type { ExecuteCalls } from './execute-calls.ts';
import type { AttributeNames } from './ports/attribute-names.ts';
import type { RunLog } from './run-log.ts';
import type { RunSignal } from './run-signal.ts';
import type { ModelAnswer } from './stream-turn.ts';

/** What the turns of one run work with. */
export interface RunWork {
  readonly run: Run;
  readonly log: RunLog;
  readonly stop: RunSignal;
  readonly chosen: ChosenModel;
  readonly instructions: string;
  /** What the model is offered, sorted by name. */
  readonly tools: readonly Tool[];
  /** All that the model sees; grows by up to two messages a turn. */
  readonly dialogue: Message[];
}

export interface TakeTurnDeps {
  readonly askModel: AskModel;
  readonly executeCalls: ExecuteCalls;
  readonly attribute: AttributeNames;
  readonly ids: Pick<IdGenerator, 'uuid'>;
}

/** A turn that was begun. */
interface Turn extends RunWork {
  readonly span: OpenSpan;
  /** Calls whose message is committed, or on its way to it, while the message with their results is not. */
  batch: CallBatch | undefined;
}

/**
 * One turn: the model is asked, its message is committed, its calls are executed, their results are committed. When it
 * throws, everything that it had opened is closed and every call that may be committed has its result.
 */
export class TakeTurn {
  readonly #deps: TakeTurnDeps;

  constructor(deps: TakeTurnDeps) {
    this.#deps = deps;
  }

  /**
   * Returns how the run came to its end with this turn; undefined when another turn follows. Throws the signal's reason,
   * CONTEXT_INVALID, and what the model failed with.
   */
  async execute(work: RunWork): Promise<RunFinish | undefined> {
    const { run, log, stop, dialogue } = work;
    stop.signal.throwIfAborted();
    assertAskable(dialogue);
    const { attribute } = this.#deps;
    const span = log.spans.start(run.dispatch.span, 'turn', `turn ${run.beginTurn()}`, {
      [attribute.agentName]: run.agent.name,
      [attribute.conversationId]: run.dispatch.sessionId,
    });
    const turn: Turn = { ...work, span, batch: undefined };
    try {
      const answer = await this.#ask(turn);
      await this.#record(turn, answer);
      return run.finishAfter(answer.reason, answer.calls.length);
    } catch (error) {
      this.#close(turn, error);
      throw error;
    }
  }

  #ask({ run, log, stop, chosen, instructions, tools, dialogue, span }: Turn): Promise<ModelAnswer> {
    const { provider, model } = chosen;
    const maxOutputTokens = Math.min(run.agent.limits.maxOutputTokens, provider.capabilities(model).maxOutput);
    const request = { model, instructions, tools, messages: dialogue, maxOutputTokens };
    return this.#deps.askModel.execute({ run, provider, request, parent: span.context, log }, stop.signal);
  }

  /** Commits the answer; if it asks for calls, has them executed and commits their results. */
  async #record(turn: Turn, { message, calls, reason }: ModelAnswer): Promise<void> {
    const { run, log, stop, span, dialogue, tools } = turn;
    const parent = span.context;
    if (message === undefined) {
      span.end({ status: 'ok' });
      return;
    }
    dialogue.push(message);
    if (calls.length === 0) {
      await commitMessage(log, stop, message, parent.span, span);
      return;
    }
    const batch = new CallBatch(calls);
    turn.batch = batch;
    await commitMessage(log, stop, message, parent.span);
    if (reason === 'content-filter') {
      calls.forEach((call) => answer(turn, batch, withheldResult(call)));
    } else {
      await this.#deps.executeCalls.execute({ run: run.dispatch, batch, tools, parent, log }, stop.signal);
    }
    const results = this.#resultsOf(turn, batch);
    turn.batch = undefined;
    dialogue.push(results);
    await commitMessage(log, stop, results, parent.span, span);
  }

  /**
   * Ends the span, and gives the calls that are left their results. Nobody waits for the ack: the driver commits in the
   * order of the stream, and may have stopped to answer.
   */
  #close(turn: Turn, error: unknown): void {
    const { log, stop, span, batch } = turn;
    const end: SpanEnd = stop.signal.aborted
      ? { status: 'cancelled' }
      : { status: 'error', errorType: reasonOf(error) };
    if (batch === undefined) {
      span.end(end);
      return;
    }
    batch.unanswered().forEach((unanswered) => answer(turn, batch, endedResult(unanswered)));
    const results = this.#resultsOf(turn, batch);
    announceMessage(log, results, span.context.span);
    span.end(end);
    log.checkpoint([results]).catch(() => undefined);
  }

  #resultsOf({ run }: Turn, batch: CallBatch): Message {
    return toolMessage(this.#deps.ids.uuid(), run.dispatch.runId, batch.results());
  }
}

/** A result that no tool gave: it is committed with the message that has all results. */
function answer({ log, span }: Turn, batch: CallBatch, value: ToolResultPart): void {
  batch.answer(value);
  log.end(span.context.span, { case: 'toolResult', value });
}

function reasonOf(error: unknown): string {
  return error instanceof DomainError ? error.reason : 'INTERNAL';
}
