import type { EventLog } from '../domain/event/event-log.ts';
import type { Run } from '../domain/run/run.ts';
import { runtimeUnavailable } from '../domain/run/run-errors.ts';
import type { StartedRun } from '../domain/run/run-repository.ts';
import { type EndRunDeps, endRun } from './end-run.ts';
import type { SpanExporter } from './ports/span-exporter.ts';
import { RunWriter } from './run-writer.ts';
import type { SessionHub } from './session-hub.ts';

export interface EndOrphansDeps extends EndRunDeps {
  readonly log: EventLog;
  readonly hub: SessionHub;
  readonly spans: SpanExporter;
  readonly instanceId: string;
  /** Told of each run that was ended, or why it could not be. */
  readonly report: (run: Run, error?: unknown) => void;
}

const page = 500;

/**
 * Ends runs that have lost their driver, as failed or, when that was asked for, as cancelled. Only for runs of which that
 * is known: at the start of a process that is alone with its database all that are not over, and later those that the
 * process itself had to let go of.
 */
export class EndOrphans {
  readonly #deps: EndOrphansDeps;

  constructor(deps: EndOrphansDeps) {
    this.#deps = deps;
  }

  /** Answers the runs that it ended, of those that are meant. */
  async execute(isMeant: (run: Run) => boolean = () => true): Promise<readonly Run[]> {
    const ended: Run[] = [];
    for (const run of (await this.#deps.runs.unfinished()).filter(isMeant)) {
      const claimed = await this.#deps.runs.claim(run, this.#deps.instanceId);
      if (claimed !== undefined) {
        try {
          await this.#end(claimed);
          ended.push(claimed.run);
          this.#deps.report(claimed.run);
        } catch (error) {
          // One that can not be ended must not keep the others, or the service, from going on.
          this.#deps.report(claimed.run, error);
        }
      }
    }
    return ended;
  }

  async #end({ run, lastSeq, lastContextSeq }: StartedRun): Promise<void> {
    const { log, hub, clock, spans } = this.#deps;
    const publisher = hub.open(run.sessionId, lastSeq);
    const writer = new RunWriter(
      {
        log,
        publisher,
        clock,
        onSpanClosed: (span) => spans.export(span, run.span.traceFlags),
        onFailure: () => undefined,
      },
      { sessionId: run.sessionId, runId: run.id, epoch: run.epoch, lastSeq, lastContextSeq },
    );
    try {
      await this.#restore(writer, run);
      await this.#endAsFailed(run, writer);
    } finally {
      writer.stop();
      publisher.close();
    }
  }

  async #endAsFailed(run: Run, writer: RunWriter): Promise<void> {
    const { toAgentError } = this.#deps;
    const error = toAgentError(runtimeUnavailable('the process that drove it was killed'));
    await endRun(this.#deps, run, writer, { outcome: { kind: 'failed', error }, usage: undefined });
  }

  async #restore(writer: RunWriter, { sessionId, id: runId, startSeq }: Run): Promise<void> {
    for (let afterSeq = startSeq - 1; ; ) {
      const events = await this.#deps.log.read({ sessionId, runId, afterSeq, limit: page });
      events.forEach((event) => writer.restore(event));
      afterSeq = Number(events.at(-1)?.seq ?? afterSeq);
      if (events.length < page) {
        return;
      }
    }
  }
}
