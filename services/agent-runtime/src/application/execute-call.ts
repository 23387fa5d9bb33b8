import type { Clock, ExecSpanContext } from '@spanwise/kernel';
import type { ToolPolicy } from '@spanwise/tool-kit/contract';
import type { ToolCallPart } from '../domain/message/message.ts';
import type { InterruptAnswer } from '../domain/run/interrupt.ts';
import type { RunScope } from '../domain/run/run-dispatch.ts';
import { isFenced } from '../domain/run/run-errors.ts';
import type { Tool } from '../domain/tool/tool.ts';
import { failedResult, lostResult, nobodyToAsk, shownResult } from './answer-calls.ts';
import type { LeftExecutions } from './left-executions.ts';
import { Patience } from './patience.ts';
import type { Timers } from './ports/timers.ts';
import {
  type FoundExecution,
  mayComeBack,
  mayHaveRun,
  type ToolAnswer,
  type ToolHost,
  toolHostUnavailable,
} from './ports/tool-host.ts';
import type { RunLog } from './run-log.ts';
import type { RunSignal } from './run-signal.ts';
import { ToolEvents } from './tool-events.ts';
import { sleep, untilAborted } from './until-aborted.ts';

export interface ExecuteCallDeps {
  readonly toolHost: ToolHost;
  readonly leftExecutions: LeftExecutions;
  readonly clock: Clock;
  readonly timers: Timers;
}

/** A call that has no result yet. */
export interface PendingCall {
  readonly run: RunScope;
  readonly call: ToolCallPart;
  readonly tool: Tool;
  /** The turn. */
  readonly parent: ExecSpanContext;
  readonly log: RunLog;
  /** An earlier dispatch may have begun it. */
  readonly wasBegun: boolean;
  /** Of the interrupt that it has waited for. */
  readonly answer: InterruptAnswer | undefined;
  /** Whether somebody is there to be asked. */
  readonly isInteractive: boolean;
  /** The rules of agent, session and run. */
  readonly policy: ToolPolicy;
  /** Called when it is handed to tool-host. */
  readonly begin: () => void;
}

/** Executions after the first one of a call that was lost in the middle again and again. */
const maxRepeats = 3;
/** How long tool-host is asked to wait for an execution; asked again until the run's time is up. */
const findWaitMs = 60_000;
/** Between two such questions. */
const findPauseMs = 200;

/**
 * Has one call executed, exactly as often as its tool allows, though tool-host or an executor of the run may be lost
 * meanwhile. Whatever may have been begun is looked for before it is executed again: what is done is taken, what goes on
 * is waited for, what is lost is repeated only if its tool is idempotent. A tool that only reads is just executed again,
 * unless it waits for the user to sign in.
 */
export class ExecuteCall {
  readonly #deps: ExecuteCallDeps;

  constructor(deps: ExecuteCallDeps) {
    this.#deps = deps;
  }

  /**
   * Returns the call's result, also when it could not be executed, or what it waits for. Throws the signal's reason; when
   * the dispatch is left meanwhile, the execution goes on at tool-host. FENCED stops the whole run.
   */
  async execute(pending: PendingCall, stop: RunSignal): Promise<ToolAnswer> {
    const given = await this.#execute(pending, stop);
    if (given.kind === 'result' || pending.isInteractive) {
      return given;
    }
    // Nobody will answer: that makes a result of it, the same as when its time has come.
    const unanswered = { interruptId: given.interrupt.id, callId: pending.call.callId, answerJson: '', answeredBy: '' };
    const answered = await this.#execute({ ...pending, answer: { ...unanswered, expired: true } }, stop);
    return answered.kind === 'result' ? answered : { kind: 'result', result: nobodyToAsk(pending.call) };
  }

  async #execute(pending: PendingCall, stop: RunSignal): Promise<ToolAnswer> {
    const { call, tool } = pending;
    const patience = new Patience(this.#deps);
    try {
      // What only reads is kept as well, from when it asks the user to sign in.
      let isKnown = !pending.wasBegun;
      for (let repeats = 0; repeats <= maxRepeats; repeats += 1) {
        const known = isKnown ? undefined : answerOf(await this.#find(pending, patience, stop), pending);
        const answer = known ?? (await this.#executeNow(pending, patience, stop));
        if (answer !== undefined) {
          return answer;
        }
        isKnown = !isKept(tool);
      }
      return { kind: 'result', result: failedResult(call, tool, toolHostUnavailable(true)) };
    } catch (error) {
      stop.halt.throwIfAborted();
      if (isFenced(error)) {
        stop.fence(error);
        throw error;
      }
      return { kind: 'result', result: failedResult(call, tool, error) };
    }
  }

  /** What became of the call, once it is not executing any more; unknown when tool-host does not say. */
  async #find(pending: PendingCall, patience: Patience, stop: RunSignal): Promise<FoundExecution> {
    const { toolHost, timers } = this.#deps;
    const { run, call, tool, parent: span } = pending;
    for (;;) {
      try {
        const finding = toolHost.find({ run, call, span }, findWaitMs, stop.halt);
        const found = await untilAborted(finding, stop.halt);
        patience.reset();
        if (found.state !== 'started') {
          return found;
        }
        await sleep(timers, findPauseMs, stop.halt);
      } catch (error) {
        stop.halt.throwIfAborted();
        if (isFenced(error)) {
          throw error;
        }
        if (!mayComeBack(error) || !(await patience.wait(stop.halt))) {
          return isKept(tool) ? { state: 'done', result: lostResult(call) } : { state: 'none' };
        }
      }
    }
  }

  /** Undefined when tool-host was lost in the middle of it. Throws what tool-host refused it with. */
  async #executeNow(pending: PendingCall, patience: Patience, stop: RunSignal): Promise<ToolAnswer | undefined> {
    for (;;) {
      try {
        const answer = await this.#executeOnce(pending, stop);
        return answer.kind === 'result' ? { kind: 'result', result: shownResult(answer.result) } : answer;
      } catch (error) {
        stop.halt.throwIfAborted();
        if (!mayComeBack(error) || !(await patience.wait(stop.halt))) {
          throw error;
        }
        if (mayHaveRun(error)) {
          return undefined;
        }
      }
    }
  }

  async #executeOnce(pending: PendingCall, stop: RunSignal): Promise<ToolAnswer> {
    const { toolHost, leftExecutions } = this.#deps;
    const { run, call, parent, log, answer, policy, isInteractive, begin } = pending;
    const events = new ToolEvents(log);
    begin();
    const execution = { run, call, span: parent, answer, policy, isInteractive };
    const executing = toolHost.execute(execution, (event) => events.accept(event), stop.signal);
    try {
      return await untilAborted(executing, stop.halt);
    } finally {
      if (stop.isLeft) {
        events.leave();
        leftExecutions.add(executing);
      } else {
        events.close(stop.signal.aborted ? 'cancelled' : 'abandoned');
      }
    }
  }
}

/** Whether tool-host keeps what became of a call. */
function isKept({ effect }: Tool): boolean {
  return effect !== 'read-only';
}

/** What is to be said of a call that was found; undefined = execute it. */
function answerOf(found: FoundExecution, { call, tool, answer }: PendingCall): ToolAnswer | undefined {
  switch (found.state) {
    case 'done':
      return { kind: 'result', result: shownResult(found.result) };
    case 'suspended':
      return answer?.interruptId === found.interrupt.id ? undefined : { kind: 'suspended', interrupt: found.interrupt };
    case 'unknown':
      return tool.effect !== 'non-repeatable' ? undefined : { kind: 'result', result: lostResult(call) };
    default:
      return undefined;
  }
}
