import type { IdGenerator } from '@spanwise/kernel';
import { joinPolicies } from '@spanwise/tool-kit/contract';
import { assertAskable } from '../domain/message/context.ts';
import { callsOf } from '../domain/message/message.ts';
import type { RunEnd } from '../domain/run/run-outcome.ts';
import { CallBatch } from '../domain/tool/call-batch.ts';
import { loopingCalls } from '../domain/tool/call-loop.ts';
import { cutResult, lostResult, withheldResult } from './answer-calls.ts';
import type { AskModel } from './ask-model.ts';
import { commitMessage } from './commit-message.ts';
import type { ExecuteCalls } from './execute-calls.ts';
import { OpenTurn, type RunWork } from './open-turn.ts';
import type { AttributeNames } from './ports/attribute-names.ts';
import type { ModelAnswer } from './stream-turn.ts';

export interface TakeTurnDeps {
  readonly askModel: AskModel;
  readonly executeCalls: ExecuteCalls;
  readonly attribute: AttributeNames;
  readonly ids: Pick<IdGenerator, 'uuid'>;
}

/**
 * One turn: the model is asked, its message is committed, its calls are executed, their results are committed. Calls may
 * have to wait for interrupts: then the turn pauses once all others have their results, and is resumed by another
 * dispatch. When a turn throws, everything that it had opened is closed and every call that may be committed has its
 * result, unless it goes on in another dispatch.
 * Guards of the run protocol: intentBeforeEffect.
 */
export class TakeTurn {
  readonly #deps: TakeTurnDeps;

  constructor(deps: TakeTurnDeps) {
    this.#deps = deps;
  }

  /**
   * Takes the next turn. Returns how the work came to its end with it; undefined when another turn follows. Throws the
   * signal's reason, CONTEXT_INVALID, and what the model failed with.
   */
  async execute(work: RunWork): Promise<RunEnd | undefined> {
    const { run, stop, dialogue } = work;
    stop.halt.throwIfAborted();
    assertAskable(dialogue);
    const turn = this.#open(work, `turn ${run.beginTurn()}`);
    return closing(turn, async () => {
      const answer = await this.#ask(work, turn);
      const batch = await this.#commit(work, turn, answer);
      const state = batch === undefined ? 'done' : await this.#answerCalls(work, turn, batch);
      if (state !== 'done') {
        return { ended: 'yielded', why: state };
      }
      const finish = run.finishAfter(answer.reason, answer.calls.length);
      return finish === undefined ? undefined : { ended: 'completed', finish };
    });
  }

  /**
   * Goes on with a turn of an earlier dispatch, whose calls are the last message of the dialogue. Returns how the work
   * came to its end with it; undefined when it is done. Throws the signal's reason.
   */
  async resume(work: RunWork): Promise<RunEnd | undefined> {
    const { run, stop, dialogue } = work;
    stop.halt.throwIfAborted();
    const asked = dialogue.at(-1);
    const batch = new CallBatch(callsOf(asked), run.dispatch);
    const turn = this.#open(work, `turn ${run.turns} (resumed)`);
    turn.hold(batch);
    if (asked?.runId !== run.dispatch.runId) {
      // Left behind by another run: tool-host knows its calls under that run's id only.
      batch.unanswered().forEach(({ call }) => turn.answer(batch, lostResult(call)));
    }
    return closing(turn, async () => {
      const state = await this.#answerCalls(work, turn, batch);
      return state === 'done' ? undefined : { ended: 'yielded', why: state };
    });
  }

  #open(work: RunWork, name: string): OpenTurn {
    const { run, log } = work;
    const { attribute, ids } = this.#deps;
    const span = log.spans.start(run.dispatch.span, 'turn', name, {
      [attribute.agentName]: run.agent.name,
      [attribute.conversationId]: run.dispatch.sessionId,
    });
    return new OpenTurn(work, span, ids);
  }

  #ask({ run, log, stop, chosen, tools, dialogue }: RunWork, { span }: OpenTurn): Promise<ModelAnswer> {
    const { provider, model } = chosen;
    const { instructions, limits } = run.agent;
    const maxOutputTokens = Math.min(limits.maxOutputTokens, provider.capabilities(model).maxOutput);
    const request = { model, instructions, tools, messages: dialogue, maxOutputTokens };
    return this.#deps.askModel.execute({ run, provider, request, parent: span.context, log }, stop.halt);
  }

  /**
   * Commits the answer, and returns the calls that it asks for, if any. Those that are never executed get their results
   * with it: another dispatch could not tell them from others.
   */
  async #commit(work: RunWork, turn: OpenTurn, { message, calls, reason }: ModelAnswer) {
    const { log, stop, dialogue } = work;
    const { span } = turn.span.context;
    if (message === undefined) {
      turn.end();
      return undefined;
    }
    dialogue.push(message);
    if (calls.length === 0) {
      await commitMessage(log, stop, message, span, () => turn.end());
      return undefined;
    }
    const batch = new CallBatch(calls);
    turn.hold(batch);
    await commitMessage(log, stop, message, span, () => {
      for (const call of calls) {
        if (reason === 'content-filter') {
          turn.answer(batch, withheldResult(call));
        } else if (call.isCut) {
          turn.answer(batch, cutResult(call));
        }
      }
    });
    return batch;
  }

  /** Has the calls executed and commits their results; waits with that while calls wait or go on elsewhere. */
  async #answerCalls(
    { run, log, stop, tools, dialogue, delegates }: RunWork,
    turn: OpenTurn,
    batch: CallBatch,
  ): Promise<'waiting' | 'detached' | 'done'> {
    if (batch.unanswered().length > 0) {
      const policy = joinPolicies(run.agent.policy, run.dispatch.policy);
      const looping = loopingCalls(dialogue);
      const execution = { run: run.dispatch, batch, looping, tools, policy, parent: turn.span.context, log, delegates };
      await this.#deps.executeCalls.execute(execution, stop);
    }
    if (batch.isLeft) {
      // Of a turn that goes on in another dispatch nothing more is said.
      return 'detached';
    }
    if (batch.isSuspended) {
      turn.end();
      return 'waiting';
    }
    await turn.commitResults(batch);
    return 'done';
  }
}

async function closing<Result>(turn: OpenTurn, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    turn.close(error);
    throw error;
  }
}
