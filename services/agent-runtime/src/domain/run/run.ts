import { type ExecSpanContext, invariantBroken } from '@spanwise/kernel';
import { type Message, role } from '../message/message.ts';
import type { StopReason } from '../model/model-part.ts';
import { addUsage, noUsage, type TokenUsage } from '../model/token-usage.ts';
import type { RunDispatch } from './run-dispatch.ts';
import type { RunFinish } from './run-outcome.ts';
import type { AgentSpec } from './run-spec.ts';
import { TurnBudget } from './turn-budget.ts';

/**
 * The rules of one run: its limits, and when it is over. An agent that works on a delegated task has a run of its own, within
 * that of whoever delegated it.
 */
export class Run {
  readonly dispatch: RunDispatch;
  readonly agent: AgentSpec;
  /** As chosen by the run, else by the agent. */
  readonly model: string;
  /** The smaller of the run's and the agent's limit. */
  readonly maxTurns: number;
  /** Milliseconds since 1970. */
  readonly deadlineMs: number;
  readonly #parent: Run | undefined;
  readonly #budget: TurnBudget;
  #turns = 0;
  #usage = noUsage;

  /** `parent` is whoever has delegated a task: turns and usage count for it as well. */
  constructor(agent: AgentSpec, dispatch: RunDispatch, nowMs: number, parent?: Run) {
    const { maxTurns, timeoutMs } = agent.limits;
    this.agent = agent;
    this.dispatch = dispatch;
    this.model = dispatch.model === '' ? agent.model : dispatch.model;
    this.maxTurns = dispatch.maxTurns > 0 ? Math.min(dispatch.maxTurns, maxTurns) : maxTurns;
    this.#parent = parent;
    this.#budget = parent === undefined ? new TurnBudget(this.maxTurns, dispatch.turns) : parent.#budget;
    // A run that is handed over has no more time for that.
    this.deadlineMs = dispatch.deadlineMs ?? (dispatch.beginMs ?? nowMs) + timeoutMs;
  }

  /** The work on a task that is delegated to another agent; `span` is that of the call. */
  child(agent: AgentSpec, span: ExecSpanContext): Run {
    const { dispatch, deadlineMs } = this;
    return new Run(agent, { ...dispatch, span, agent: agent.name, model: '', maxTurns: 0, deadlineMs }, 0, this);
  }

  /** Turns that were begun, in all dispatches. */
  get turns(): number {
    return this.#turns;
  }

  /** Whether another turn may be begun. */
  get hasTurns(): boolean {
    return this.#turns < this.maxTurns && this.#budget.hasTurns;
  }

  /** Sum over the model calls so far, of delegated tasks too. */
  get usage(): TokenUsage {
    return this.#usage;
  }

  count(usage: TokenUsage): void {
    this.#usage = addUsage(this.#usage, usage);
    this.#parent?.count(usage);
  }

  /** Takes the turns that earlier dispatches of the run took as taken: each left its answer in the context. */
  resume(dialogue: readonly Message[]): void {
    this.#turns = dialogue.filter((message) => this.#isOwnAnswer(message)).length;
    this.#budget.tookAtLeast(this.#turns);
  }

  /** How the run ended already, when an earlier dispatch was lost between its last answer and its end. */
  finishOf(dialogue: readonly Message[]): RunFinish | undefined {
    const last = dialogue.at(-1);
    const isAnswered =
      last !== undefined && this.#isOwnAnswer(last) && last.parts.every(({ part }) => part.case !== 'toolCall');
    if (isAnswered) {
      return 'stop';
    }
    return this.hasTurns ? undefined : 'max-turns';
  }

  /** Begins the next turn and returns its number, from 1. */
  beginTurn(): number {
    if (!this.hasTurns) {
      throw invariantBroken('a turn was begun beyond the limit');
    }
    this.#turns += 1;
    this.#budget.take();
    return this.#turns;
  }

  /** Whether the run is over after a turn, and why; undefined = another turn follows. */
  finishAfter(reason: StopReason, callCount: number): RunFinish | undefined {
    if (reason === 'content-filter') {
      return 'content-filter';
    }
    if (callCount === 0) {
      return reason === 'length' ? 'length' : 'stop';
    }
    return this.hasTurns ? undefined : 'max-turns';
  }

  /** Keeps one turn for this agent while others work for it, until what is returned is disposed. */
  waitForOthers(): Disposable {
    return this.#budget.wait();
  }

  #isOwnAnswer(message: Message): boolean {
    return message.role === role.assistant && message.runId === this.dispatch.runId;
  }
}
