import type { Clock, IdGenerator } from '@spanwise/kernel';
import type { AgentCatalog } from '../domain/agent/agent.ts';
import type { LlmContextRepository } from '../domain/message/llm-context-repository.ts';
import { chooseModel, type ModelProvider } from '../domain/model/model-provider.ts';
import { Run } from '../domain/run/run.ts';
import type { RunDispatch } from '../domain/run/run-dispatch.ts';
import type { RunJournal } from '../domain/run/run-journal.ts';
import { endedBy, type RunEnd, type RunOutcome } from '../domain/run/run-outcome.ts';
import { Delegation, type DelegationDeps, usableTools } from './delegation.ts';
import type { RunWork } from './open-turn.ts';
import { Patience, patiently } from './patience.ts';
import type { RunReports } from './ports/run-reports.ts';
import type { Timers } from './ports/timers.ts';
import type { ToolHost } from './ports/tool-host.ts';
import type { Views } from './ports/views.ts';
import { type ResolvedSpec, resolveSpec } from './resolve-spec.ts';
import { RunLog } from './run-log.ts';
import { type RunControl, RunSignal } from './run-signal.ts';
import type { TakeTurn } from './take-turn.ts';
import { detached, takeTurns } from './take-turns.ts';
import { untilAborted } from './until-aborted.ts';

export interface RunAgentDeps extends DelegationDeps {
  readonly agents: AgentCatalog;
  /** The first one serves every model that does not name another. */
  readonly modelProviders: readonly ModelProvider[];
  readonly toolHost: ToolHost;
  readonly views: Views;
  readonly takeTurn: TakeTurn;
  readonly reports: RunReports;
  readonly ids: IdGenerator;
  readonly clock: Clock;
  readonly timers: Timers;
}

/** Where a run reads its dialogue from and writes what is new to. */
export interface RunStore {
  readonly context: LlmContextRepository;
  readonly journal: RunJournal;
}

/**
 * A run loads its options and the stored dialogue, then takes turns. A turn asks the model once and streams its answer as
 * events. Its message is committed before anything that it asks for is done; then its tool calls are executed, side by
 * side where they only read, in order otherwise, each result is said as it comes, and all of them are committed as one
 * message. Then the next turn begins. The run ends when the model answers without tools, at the turn limit, at the
 * model's token limit or content filter, at its deadline, when the model fails for good, or when it is cancelled.
 * Whatever happens, what is open is closed, every committed tool call has exactly one result, and the context is valid
 * for the next run.
 *
 * An agent may delegate tasks to others, which take turns of their own in dialogues of their own ({@link Delegation}).
 *
 * A run may take several dispatches. One yields when calls wait for interrupts, and when it is asked to leave: after the
 * turn that goes on, or in the middle of it when that takes too long, with tool calls in flight left to tool-host. The
 * next one works with what the run began with, and first goes on with the turn that was not finished.
 */
export class RunAgent {
  readonly #deps: RunAgentDeps;

  constructor(deps: RunAgentDeps) {
    this.#deps = deps;
  }

  /**
   * Works on a dispatch until it is over and says how it ended; aborting the control's signal ends it at once. Throws
   * AGENT_NOT_FOUND before anything is said; every other failure is an outcome.
   */
  async execute(dispatch: RunDispatch, store: RunStore, control: RunControl): Promise<RunOutcome> {
    const { clock, ids, timers, reports } = this.#deps;
    const spec = resolveSpec(dispatch, this.#deps);
    const run = new Run(spec.agent, dispatch, clock.nowMs());
    const log = new RunLog({ journal: store.journal, clock, ids });
    const startedMs = clock.monotonicMs();
    using stop = new RunSignal(control, run.deadlineMs, { clock, timers });
    const end = await this.#work(run, spec, log, store, stop).catch((error: unknown) => {
      // Whatever else went wrong while it was being stopped or left, it ended because of that.
      const reason: unknown = stop.signal.aborted ? stop.signal.reason : error;
      return stop.isLeft ? detached : endedBy(reason);
    });
    log.flush();
    const outcome = { ...end, usage: run.usage };
    reports.ended(dispatch, outcome, clock.monotonicMs() - startedMs);
    return outcome;
  }

  async #work(run: Run, spec: ResolvedSpec, log: RunLog, store: RunStore, stop: RunSignal): Promise<RunEnd> {
    return takeTurns(this.#deps.takeTurn, await this.#prepare(run, spec, log, store, stop));
  }

  /** All that a run needs to begin, asked for at the same time. */
  async #prepare(run: Run, spec: ResolvedSpec, log: RunLog, store: RunStore, stop: RunSignal): Promise<RunWork> {
    const { views, modelProviders } = this.#deps;
    const { dispatch, agent } = run;
    // A replica of the other services may be just going: that must not be the end of the run.
    const bearing = <Result>(attempt: () => Promise<Result>) => patiently(new Patience(this.#deps), stop.halt, attempt);
    const loading = Promise.all([
      store.context.load(),
      bearing(() => spec.offered()),
      bearing(() => views.open(dispatch, dispatch.span, stop.signal)),
    ]);
    const [loaded, { tools: allowed, delegates }] = await untilAborted(loading, stop.halt);
    const chosen = chooseModel(modelProviders, run.model);
    const tools = chosen.provider.capabilities(chosen.model).tools ? allowed : [];
    if (spec.isNew) {
      log.keep({ agent, tools, delegates });
    }
    const { maxDepth } = agent.delegation;
    const { context } = store;
    const others = Delegation.of(this.#deps, { run, log, stop, context, delegates, depth: 0, maxDepth });
    return { run, log, stop, chosen, tools: usableTools(tools, others), dialogue: [...loaded], delegates: others };
  }
}
