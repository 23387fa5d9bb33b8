import { DomainError } from '@spanwise/kernel';
import type { LlmContext } from '../domain/context/llm-context.ts';
import type { EventLog } from '../domain/event/event-log.ts';
import type { Run } from '../domain/run/run.ts';
import { runtimeUnavailable, shuttingDown } from '../domain/run/run-errors.ts';
import type { StartedRun } from '../domain/run/run-repository.ts';
import { type EndRunDeps, endRun } from './end-run.ts';
import type { AgentRuntime, Execution, ExecutorEnd } from './ports/agent-runtime.ts';
import type { Caller } from './ports/caller.ts';
import type { SpanExporter } from './ports/span-exporter.ts';
import { rootSpanStart } from './root-span.ts';
import { RunWriter } from './run-writer.ts';
import type { SessionHub } from './session-hub.ts';
import { sizeGroups } from './size-groups.ts';

/** Why a stream that has told everything is closed. */
const isOver = 'over';

/** Messages of the dialogue that one look into the context reads. */
const historyPage = 200;

export interface DriveRunDeps extends EndRunDeps {
  readonly runtime: AgentRuntime;
  readonly log: EventLog;
  readonly context: LlmContext;
  readonly hub: SessionHub;
  readonly spans: SpanExporter;
  /** Called when a run could not be ended here: it was fenced, or the database is away. */
  readonly onLost: (run: Run, error: unknown) => void;
}

/** What may happen to a run from outside while it is driven. */
export interface DriveSignals {
  /** The run is to be cancelled; the flag in the database was set before. */
  readonly cancel: AbortSignal;
  /** This process has to let go of the run. */
  readonly shutdown: AbortSignal;
}

/**
 * Drives a run: calls the executor, stores and shows what it says in order, acknowledges its checkpoints, and writes the
 * one terminal event. Whatever becomes of the executor, what is open is closed and every tool call has a result.
 */
export class DriveRun {
  readonly #deps: DriveRunDeps;

  constructor(deps: DriveRunDeps) {
    this.#deps = deps;
  }

  /** Resolves when the run is over, or lost to another process. Never rejects. */
  async execute({ run, lastSeq, lastContextSeq }: StartedRun, caller: Caller, signals: DriveSignals): Promise<void> {
    const { hub, log, clock, spans, onLost } = this.#deps;
    const lost = new AbortController();
    const publisher = hub.open(run.sessionId, lastSeq);
    const writer = new RunWriter(
      {
        log,
        publisher,
        clock,
        onSpanClosed: (span) => spans.export(span, run.span.traceFlags),
        onFailure: (error) => lost.abort(error),
      },
      { sessionId: run.sessionId, runId: run.id, epoch: run.epoch, lastSeq, lastContextSeq },
    );
    writer.work.note(rootSpanStart(run));
    try {
      const end = await this.#execute(run, caller, writer, signals, lost.signal);
      await endRun(this.#deps, run, writer, end);
    } catch (error) {
      onLost(run, error);
    } finally {
      writer.stop();
      publisher.close();
    }
  }

  async #execute(
    run: Run,
    caller: Caller,
    writer: RunWriter,
    signals: DriveSignals,
    lost: AbortSignal,
  ): Promise<ExecutorEnd> {
    // Whoever consumes a stream ends it: breaking out of the loop alone would leave the executor at work.
    const done = new AbortController();
    const stream = AbortSignal.any([lost, signals.shutdown, done.signal]);
    const execution = this.#deps.runtime.execute(this.#dispatch(run, caller), stream);
    const abort = () => execution.abort('cancelled');
    signals.cancel.addEventListener('abort', abort, { once: true });
    try {
      if (signals.cancel.aborted) {
        abort();
      }
      return await relay(execution, writer, signals.cancel);
    } catch (error) {
      lost.throwIfAborted();
      const failure = signals.shutdown.aborted ? shuttingDown() : asDomainError(error);
      return { outcome: { kind: 'failed', error: this.#deps.toAgentError(failure) }, usage: undefined };
    } finally {
      signals.cancel.removeEventListener('abort', abort);
      // Without a reason it would make an exception with a stack, for nobody.
      done.abort(isOver);
    }
  }

  #dispatch(run: Run, caller: Caller) {
    const { sessionId, id: runId, epoch, attempt, span, options, deadlineAtMs } = run;
    return { sessionId, runId, epoch, attempt, span, options, deadlineAtMs, caller, history: this.#history(run) };
  }

  async *#history({ sessionId }: Run) {
    let afterSeq = 0;
    for (;;) {
      const messages = await this.#deps.context.read(sessionId, afterSeq, historyPage);
      yield* sizeGroups(
        messages.map(({ payload }) => payload),
        ({ length }) => length,
      );
      afterSeq = messages.at(-1)?.seq ?? afterSeq;
      if (messages.length < historyPage) {
        return;
      }
    }
  }
}

async function relay(execution: Execution, writer: RunWriter, cancel: AbortSignal): Promise<ExecutorEnd> {
  for await (const frame of execution.frames) {
    switch (frame.kind) {
      case 'events':
        writer.write(frame.events);
        break;
      case 'checkpoint':
        writer.writeContext(frame.contextRows);
        writer.write(frame.events);
        // Not awaited: what the executor says meanwhile is taken in order. A failure ends the stream through the writer.
        writer.committed().then(
          () => execution.acknowledge(frame.index, cancel.aborted),
          () => undefined,
        );
        break;
      case 'finish':
        return frame.end;
    }
  }
  throw runtimeUnavailable('the stream ended without a finish');
}

function asDomainError(error: unknown): DomainError {
  return error instanceof DomainError ? error : runtimeUnavailable(error);
}
