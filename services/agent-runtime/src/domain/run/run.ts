import { invariantBroken } from '@spanwise/kernel';
import { type Message, role } from '../message/message.ts';
import type { StopReason } from '../model/model-part.ts';
import { addUsage, noUsage, type TokenUsage } from '../model/token-usage.ts';
import type { RunDispatch } from './run-dispatch.ts';
import type { RunFinish } from './run-outcome.ts';
import type { AgentSpec } from './run-spec.ts';

/** The rules of one run: its limits, and when it is over. */
export class Run {
  readonly dispatch: RunDispatch;
  readonly agent: AgentSpec;
  /** As chosen by the run, else by the agent. */
  readonly model: string;
  /** The smaller of the run's and the agent's limit. */
  readonly maxTurns: number;
  /** Milliseconds since 1970. */
  readonly deadlineMs: number;
  #turns = 0;
  #usage = noUsage;

  constructor(agent: AgentSpec, dispatch: RunDispatch, nowMs: number) {
    const { maxTurns, timeoutMs } = agent.limits;
    this.agent = agent;
    this.dispatch = dispatch;
    this.model = dispatch.model === '' ? agent.model : dispatch.model;
    this.maxTurns = dispatch.maxTurns > 0 ? Math.min(dispatch.maxTurns, maxTurns) : maxTurns;
    // A run that is handed over has no more time for that.
    this.deadlineMs = dispatch.deadlineMs ?? (dispatch.beginMs ?? nowMs) + timeoutMs;
  }

  /** Turns that were begun, in all dispatches. */
  get turns(): number {
    return this.#turns;
  }

  /** Sum over the model calls so far. */
  get usage(): TokenUsage {
    return this.#usage;
  }

  count(usage: TokenUsage): void {
    this.#usage = addUsage(this.#usage, usage);
  }

  /** Takes the turns that earlier dispatches of the run took as taken: each left its answer in the context. */
  resume(dialogue: readonly Message[]): void {
    this.#turns = dialogue.filter((message) => this.#isOwnAnswer(message)).length;
  }

  /** How the run ended already, when an earlier dispatch was lost between its last answer and its end. */
  finishOf(dialogue: readonly Message[]): RunFinish | undefined {
    const last = dialogue.at(-1);
    const isAnswered =
      last !== undefined && this.#isOwnAnswer(last) && last.parts.every(({ part }) => part.case !== 'toolCall');
    if (isAnswered) {
      return 'stop';
    }
    return this.#turns >= this.maxTurns ? 'max-turns' : undefined;
  }

  /** Begins the next turn and returns its number, from 1. */
  beginTurn(): number {
    if (this.#turns >= this.maxTurns) {
      throw invariantBroken('a turn was begun beyond the limit');
    }
    this.#turns += 1;
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
    return this.#turns >= this.maxTurns ? 'max-turns' : undefined;
  }

  #isOwnAnswer(message: Message): boolean {
    return message.role === role.assistant && message.runId === this.dispatch.runId;
  }
}
