import { type Clock, DomainError, type IdGenerator } from '@spanwise/kernel';
import type { Interrupt, Tool } from '@spanwise/tool-kit/contract';
import type { AuditFacts } from '../domain/audit/audit-entry.ts';
import type { ExecutionStart } from '../domain/execution/execution.ts';
import { leaseLost } from '../domain/execution/execution-errors.ts';
import type { CallOutcome, ToolCall } from '../domain/tool/tool-call.ts';
import { argsHash } from './args-hash.ts';
import type { AuditCalls } from './audit-calls.ts';
import { stoppedEnd, unknownEnd } from './call-records.ts';
import { type EnterLedgerDeps, enterLedger } from './enter-ledger.ts';
import { failureOf, type GrantedCall } from './judge-call.ts';
import type { LiveCall } from './live-calls.ts';
import { type RunningCall, type RunToolDeps, runTool } from './run-tool.ts';

export interface ExecuteOnceDeps extends RunToolDeps, EnterLedgerDeps {
  /** The process itself; its id changes when it has lost its lease. */
  readonly instance: { readonly id: string };
  readonly ids: Pick<IdGenerator, 'uuid'>;
  readonly clock: Clock;
  readonly audit: AuditCalls;
}

/** What is asked for, and what it takes the place of. */
interface Asked {
  readonly tool: Tool;
  readonly interrupt: Interrupt;
  readonly replaces: string | undefined;
  readonly audit: AuditFacts;
}

type Suspended = Extract<CallOutcome, { readonly type: 'suspended' }>;

/**
 * Executes granted calls as often as their tools allow, with what became of them in the ledger. Every method throws what
 * {@link enterLedger} does.
 */
export class ExecuteOnce {
  readonly #deps: ExecuteOnceDeps;

  constructor(deps: ExecuteOnceDeps) {
    this.#deps = deps;
  }

  /** How the call ended, now or before, or what it waits for. A READ_ONLY one is executed each time, without a row. */
  async execute(call: ToolCall, granted: GrantedCall, live: LiveCall, running: RunningCall): Promise<CallOutcome> {
    if (granted.tool.effect !== 'READ_ONLY') {
      return this.#executeLedgered(call, granted, live, running);
    }
    await this.#deps.ledger.assertOpen(call.sessionId, call.epoch);
    running.signal.throwIfAborted();
    live.begin(false);
    const outcome = await this.#run(call, granted, live, running);
    live.finish();
    if (outcome.type !== 'ended') {
      return this.#keepAsked(call, granted, outcome, live, running);
    }
    const { tool, audit: facts } = granted;
    if (facts.decision !== 'allow') {
      await this.#deps.audit.note({ call, tool, facts, end: outcome.end, isExecuted: true });
    }
    return outcome;
  }

  /** Writes down that the call waits for its approval: nothing of it was begun. */
  async ask(call: ToolCall, asked: Asked, running: RunningCall): Promise<CallOutcome> {
    const { interrupt, replaces } = asked;
    const start = await this.#startOf(call, { ...asked, approval: undefined });
    const asking = { ...start, answeredInterruptId: replaces, asks: interrupt };
    const entry = await enterLedger(this.#deps, asking, running.signal);
    switch (entry.type) {
      case 'begin':
        return { type: 'suspended', interrupt };
      case 'unknown':
        return { type: 'ended', end: unknownEnd(call) };
      default:
        return entry;
    }
  }

  async #executeLedgered(
    call: ToolCall,
    granted: GrantedCall,
    live: LiveCall,
    running: RunningCall,
  ): Promise<CallOutcome> {
    const { records } = this.#deps;
    const start = await this.#startOf(call, granted);
    const entry = await enterLedger(this.#deps, start, running.signal);
    if (entry.type !== 'begin') {
      return entry.type === 'unknown' ? { type: 'ended', end: unknownEnd(call) } : entry;
    }
    try {
      this.#assertStillMayBegin(start, running.signal);
    } catch (error) {
      await records.withdraw(start);
      throw error;
    }
    live.begin(true);
    this.#deps.live.execute(live);
    let outcome: CallOutcome;
    try {
      outcome = await this.#run(call, granted, live, running);
    } catch (error) {
      await records.settle(start, { state: 'UNKNOWN', end: stoppedEnd(call) });
      if (granted.tool.effect === 'NON_REPEATABLE' && isOurFault(error)) {
        // Told to try again, a caller might take it for not begun.
        return { type: 'ended', end: unknownEnd(call) };
      }
      throw error;
    }
    live.finish();
    const isRecorded = await records.settle(
      start,
      outcome.type === 'ended'
        ? { state: outcome.end.result.outcome === 'unknown' ? 'UNKNOWN' : 'DONE', end: outcome.end }
        : { state: 'SUSPENDED', interrupt: outcome.interrupt },
    );
    return isRecorded ? outcome : { type: 'ended', end: unknownEnd(call) };
  }

  /**
   * Writes down what a READ_ONLY call waits for, so that whoever asks for it again is told the same. Throws what
   * {@link enterLedger} does, and DATABASE_UNAVAILABLE when it could not be written: then it is read again.
   */
  async #keepAsked(
    call: ToolCall,
    granted: GrantedCall,
    asked: Suspended,
    live: LiveCall,
    running: RunningCall,
  ): Promise<CallOutcome> {
    const start = await this.#startOf(call, granted);
    const entry = await enterLedger(this.#deps, start, running.signal);
    if (entry.type !== 'begin') {
      return entry.type === 'unknown' ? { type: 'ended', end: unknownEnd(call) } : entry;
    }
    live.begin(true);
    this.#deps.live.execute(live);
    live.finish();
    if (!(await this.#deps.records.settle(start, { state: 'SUSPENDED', interrupt: asked.interrupt }))) {
      throw leaseLost();
    }
    return asked;
  }

  /** While the beginning was written down the call may have been stopped, or the lease lost that it relies on. */
  #assertStillMayBegin({ instanceId }: ExecutionStart, signal: AbortSignal): void {
    signal.throwIfAborted();
    if (instanceId !== this.#deps.instance.id) {
      throw leaseLost();
    }
  }

  /** Throws the reason of the signal only: whatever else goes wrong is how the call ended. */
  async #run(call: ToolCall, granted: GrantedCall, live: LiveCall, running: RunningCall): Promise<CallOutcome> {
    try {
      const follow = live.follow.bind(live);
      return await runTool(this.#deps, { call: { ...call, answer: granted.answer }, ...granted, follow }, running);
    } catch (error) {
      running.signal.throwIfAborted();
      return { type: 'ended', end: failureOf(call, error, running.log) };
    }
  }

  async #startOf(
    call: ToolCall,
    { tool: { effect }, approval, audit }: Pick<GrantedCall, 'tool' | 'approval' | 'audit'>,
  ): Promise<ExecutionStart> {
    const { runId, callId, sessionId, epoch, tool, argumentsJson, answer } = call;
    const hash = await argsHash(tool, argumentsJson);
    return {
      ...{ runId, callId, sessionId, epoch, tool, effect, argsHash: hash, approval, audit },
      instanceId: this.#deps.instance.id,
      mark: this.#deps.ids.uuid(),
      answeredInterruptId: answer?.interruptId,
    };
  }
}

/** The call was stopped because of this process: its lease was lost, or it is going away. */
function isOurFault(error: unknown): boolean {
  return error instanceof DomainError && error.kind === 'unavailable';
}
