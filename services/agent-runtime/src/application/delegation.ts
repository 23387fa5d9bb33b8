import { DomainError, type ExecSpanContext, type IdGenerator, invariantBroken, type OpenSpan } from '@spanwise/kernel';
import { badTaskResult, failedAgentResult, finishedResult } from '../domain/delegation/delegate-result.ts';
import { isDelegate } from '../domain/delegation/delegate-tool.ts';
import { type DelegatedTask, delegatedTask, taskMessage } from '../domain/delegation/delegated-task.ts';
import type { LlmContextRepository } from '../domain/message/llm-context-repository.ts';
import type { Message, ToolCallPart } from '../domain/message/message.ts';
import { chooseModel, type ModelProvider } from '../domain/model/model-provider.ts';
import type { Run } from '../domain/run/run.ts';
import { isFenced } from '../domain/run/run-errors.ts';
import type { RunEnd } from '../domain/run/run-outcome.ts';
import type { DelegateSpec, RunSpec } from '../domain/run/run-spec.ts';
import type { Tool } from '../domain/tool/tool.ts';
import { commitMessage } from './commit-message.ts';
import type { Delegates, PendingTask, TaskAnswer } from './delegates.ts';
import type { RunWork } from './open-turn.ts';
import type { AttributeNames } from './ports/attribute-names.ts';
import type { RunReports } from './ports/run-reports.ts';
import type { RunLog } from './run-log.ts';
import type { RunSignal } from './run-signal.ts';
import type { TakeTurn } from './take-turn.ts';
import { takeTurns } from './take-turns.ts';
import { untilAborted } from './until-aborted.ts';

export interface DelegationDeps {
  readonly takeTurn: TakeTurn;
  readonly modelProviders: readonly ModelProvider[];
  readonly attribute: AttributeNames;
  readonly ids: Pick<IdGenerator, 'uuid'>;
  readonly reports: Pick<RunReports, 'delegateFailed'>;
}

/** An agent that may delegate, and what its run knows of others. */
export interface Delegator {
  readonly run: Run;
  readonly log: RunLog;
  readonly stop: RunSignal;
  readonly context: LlmContextRepository;
  /** All agents of the run that tasks may be delegated to. */
  readonly delegates: RunSpec['delegates'];
  /** Delegations between the run's agent and this one. */
  readonly depth: number;
  /** How deep this run may go. */
  readonly maxDepth: number;
}

/**
 * Has other agents work on the delegate calls of one agent, in the same run: each with its own instructions, model and
 * tools, and with a dialogue of its own, the thread of the call. What it says is committed like the rest of the run, so a
 * call without result goes on from its thread, wherever that ends. The last answer of its agent is its result. Deadline and
 * cancel are those of the run; turns are taken from the run's.
 */
export class Delegation implements Delegates {
  readonly maxParallel: number;
  readonly #deps: DelegationDeps;
  readonly #delegator: Delegator;
  readonly #agents: readonly string[];
  #working = 0;
  #wait: Disposable | undefined;

  private constructor(deps: DelegationDeps, delegator: Delegator) {
    const { agents, maxParallel } = delegator.run.agent.delegation;
    this.#deps = deps;
    this.#delegator = delegator;
    this.#agents = agents;
    this.maxParallel = maxParallel;
  }

  /** Undefined for an agent that delegates to nobody, or not so deep. */
  static of(deps: DelegationDeps, delegator: Delegator): Delegation | undefined {
    const { run, depth, maxDepth } = delegator;
    const mayDelegate = run.dispatch.threads && run.agent.delegation.agents.length > 0 && depth < maxDepth;
    return mayDelegate ? new Delegation(deps, delegator) : undefined;
  }

  async execute({ call, parent, begin }: PendingTask): Promise<TaskAnswer> {
    const { stop } = this.#delegator;
    const task = delegatedTask(call.argumentsJson, this.#agents);
    if ('problem' in task) {
      return { kind: 'result', result: badTaskResult(call.callId, task.problem) };
    }
    stop.halt.throwIfAborted();
    if (stop.isLeaving) {
      return { kind: 'left' };
    }
    begin();
    using _waiting = this.#waitForIt();
    const span = this.#open(call, parent);
    const dialogue: Message[] = [];
    try {
      const end = await this.#work(call, task, span.context, dialogue);
      stop.halt.throwIfAborted();
      return this.#answerOf(call, end, span, dialogue);
    } catch (error) {
      if (stop.isLeft || isFenced(stop.signal.reason)) {
        throw error;
      }
      if (stop.signal.aborted) {
        span.end({ status: 'cancelled' });
        throw error;
      }
      return this.#failed(call, task, error, span, dialogue);
    }
  }

  /** The agent that has the call keeps a turn for itself while others work for it. */
  #waitForIt(): Disposable {
    this.#wait ??= this.#delegator.run.waitForOthers();
    this.#working += 1;
    return {
      [Symbol.dispose]: () => {
        this.#working -= 1;
        if (this.#working === 0) {
          this.#wait?.[Symbol.dispose]();
          this.#wait = undefined;
        }
      },
    };
  }

  #open({ callId, tool }: ToolCallPart, parent: ExecSpanContext): OpenSpan {
    const { attribute } = this.#deps;
    return this.#delegator.log.spans.start(parent, 'tool', `execute_tool ${tool}`, {
      [attribute.operationName]: 'execute_tool',
      [attribute.toolName]: tool,
      [attribute.toolCallId]: callId,
    });
  }

  async #work({ callId }: ToolCallPart, task: DelegatedTask, span: ExecSpanContext, dialogue: Message[]) {
    const { run: parent, stop, context, ...delegator } = this.#delegator;
    const { agent, tools } = specOf(delegator.delegates, task.agent);
    const run = parent.child(agent, span);
    const log = delegator.log.thread(callId);
    const chosen = chooseModel(this.#deps.modelProviders, run.model);
    dialogue.push(...(await untilAborted(context.load(callId), stop.halt)));
    if (dialogue.length === 0) {
      const message = taskMessage(this.#deps.ids.uuid(), run.dispatch.runId, task);
      dialogue.push(message);
      await commitMessage(log, stop, message, span.span);
    }
    const depth = delegator.depth + 1;
    const others = Delegation.of(this.#deps, { ...delegator, run, log, stop, context, depth });
    const usable = chosen.provider.capabilities(chosen.model).tools ? usableTools(tools, others) : [];
    const work: RunWork = { run, log, stop, chosen, tools: usable, dialogue, delegates: others };
    return takeTurns(this.#deps.takeTurn, work);
  }

  #answerOf({ callId }: ToolCallPart, end: RunEnd, span: OpenSpan, dialogue: readonly Message[]): TaskAnswer {
    if (end.ended !== 'completed') {
      if (end.ended === 'yielded' && end.why === 'waiting') {
        span.end({ status: 'ok' });
        return { kind: 'suspended' };
      }
      // Of what goes on in another dispatch nothing more is said.
      return { kind: 'left' };
    }
    span.end(end.finish === 'stop' ? { status: 'ok' } : { status: 'error', errorType: end.finish });
    return { kind: 'result', result: finishedResult(callId, end.finish, dialogue) };
  }

  #failed(
    { callId }: ToolCallPart,
    task: DelegatedTask,
    error: unknown,
    span: OpenSpan,
    dialogue: readonly Message[],
  ): TaskAnswer {
    const failure =
      error instanceof DomainError
        ? error
        : new DomainError('internal', 'INTERNAL', 'Internal error.', { cause: error });
    this.#deps.reports.delegateFailed(this.#delegator.run.dispatch, task.agent, failure);
    span.end({ status: 'error', errorType: failure.reason });
    return { kind: 'result', result: failedAgentResult(callId, failure, dialogue) };
  }
}

/** What the model of an agent is offered: without delegating, when it may not. */
export function usableTools(tools: readonly Tool[], delegates: Delegates | undefined): readonly Tool[] {
  return delegates === undefined ? tools.filter((tool) => !isDelegate(tool)) : tools;
}

function specOf(delegates: readonly DelegateSpec[], name: string): DelegateSpec {
  const spec = delegates.find(({ agent }) => agent.name === name);
  if (spec === undefined) {
    throw invariantBroken(`the run’s specification lacks agent ${name}`);
  }
  return spec;
}
