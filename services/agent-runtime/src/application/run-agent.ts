import type { Clock, IdGenerator } from '@spanwise/kernel';
import type { AgentCatalog } from '../domain/agent/agent.ts';
import { renderInstructions } from '../domain/agent/instructions.ts';
import type { LlmContextRepository } from '../domain/message/llm-context-repository.ts';
import { callsOf, toolMessage } from '../domain/message/message.ts';
import { chooseModel, type ModelProvider } from '../domain/model/model-provider.ts';
import { Run } from '../domain/run/run.ts';
import type { RunDispatch } from '../domain/run/run-dispatch.ts';
import type { RunJournal } from '../domain/run/run-journal.ts';
import { endedBy, type RunEnd, type RunOutcome } from '../domain/run/run-outcome.ts';
import { lostResult } from './answer-calls.ts';
import { commitMessage } from './commit-message.ts';
import type { RunReports } from './ports/run-reports.ts';
import type { Timers } from './ports/timers.ts';
import type { ToolHost } from './ports/tool-host.ts';
import type { Views } from './ports/views.ts';
import { RunLog } from './run-log.ts';
import { RunSignal } from './run-signal.ts';
import type { RunWork, TakeTurn } from './take-turn.ts';
import { untilAborted } from './until-aborted.ts';

export interface RunAgentDeps {
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
 */
export class RunAgent {
  readonly #deps: RunAgentDeps;

  constructor(deps: RunAgentDeps) {
    this.#deps = deps;
  }

  /**
   * Works on a dispatch until it is over and says how it ended; aborting the signal ends it at once. Throws
   * AGENT_NOT_FOUND before anything is said; every other failure is an outcome.
   */
  async execute(dispatch: RunDispatch, store: RunStore, signal: AbortSignal): Promise<RunOutcome> {
    const { agents, clock, ids, timers, reports } = this.#deps;
    const run = new Run(agents.get(dispatch.agent), dispatch, clock.nowMs());
    const log = new RunLog({ journal: store.journal, clock, ids });
    const startedMs = clock.monotonicMs();
    using stop = new RunSignal(signal, run.deadlineMs, { clock, timers });
    const end = await this.#work(run, log, store, stop).catch((error: unknown) =>
      // Whatever else went wrong while it was being stopped, it ended because it was stopped.
      endedBy(stop.signal.aborted ? stop.signal.reason : error),
    );
    log.flush();
    const outcome = { ...end, usage: run.usage };
    reports.ended(dispatch, outcome, clock.monotonicMs() - startedMs);
    return outcome;
  }

  async #work(run: Run, log: RunLog, store: RunStore, stop: RunSignal): Promise<RunEnd> {
    const work = await this.#prepare(run, log, store, stop);
    run.resume(work.dialogue);
    await this.#answerLostCalls(work);
    let finish = run.finishOf(work.dialogue);
    while (finish === undefined) {
      finish = await this.#deps.takeTurn.execute(work);
    }
    return { ended: 'completed', finish };
  }

  /** All that a run needs to begin, asked for at the same time. */
  async #prepare(run: Run, log: RunLog, { context }: RunStore, stop: RunSignal): Promise<RunWork> {
    const { toolHost, views, modelProviders, clock } = this.#deps;
    const { dispatch, agent } = run;
    const loading = Promise.all([
      context.load(),
      toolHost.list(dispatch, dispatch.span),
      views.open(dispatch, dispatch.span, stop.signal),
    ]);
    const [loaded, tools] = await untilAborted(loading, stop.signal);
    const chosen = chooseModel(modelProviders, run.model);
    const date = new Date(clock.nowMs()).toISOString().slice(0, 10);
    return {
      run,
      log,
      stop,
      chosen,
      instructions: renderInstructions(agent.instructions, { agent: agent.name, date }),
      tools: chosen.provider.capabilities(chosen.model).tools ? run.offered(tools) : [],
      dialogue: [...loaded],
    };
  }

  /** The calls of an executor that was lost before it could answer them: what became of them is not known. */
  async #answerLostCalls({ run, log, stop, dialogue }: RunWork): Promise<void> {
    const results = callsOf(dialogue.at(-1)).map(lostResult);
    if (results.length > 0) {
      const { runId, span } = run.dispatch;
      const message = toolMessage(this.#deps.ids.uuid(), runId, results);
      results.forEach((value) => log.end(span.span, { case: 'toolResult', value }));
      dialogue.push(message);
      await commitMessage(log, stop, message, span.span);
    }
  }
}
