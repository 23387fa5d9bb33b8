import {
  brandId,
  type Clock,
  type ExecSpanContext,
  type IdGenerator,
  type RunId,
  type SessionId,
} from '@spanwise/kernel';
import type { ContextRow } from '../domain/context/llm-context.ts';
import { eventTime, role, type UnplacedEvent } from '../domain/event/agent-event.ts';
import type { Run, RunOptions } from '../domain/run/run.ts';
import type { RunBeginning, RunRepository, StartedRun } from '../domain/run/run-repository.ts';
import type { Session } from '../domain/session/session.ts';
import { AppendBatch } from './append-batch.ts';
import type { Caller } from './ports/caller.ts';
import type { MessageCodec } from './ports/message-codec.ts';
import type { SpanExporter } from './ports/span-exporter.ts';
import { rootSpanStart } from './root-span.ts';
import { throughOutage } from './through-outage.ts';

export interface StartRunRequest {
  readonly caller: Caller;
  readonly sessionId: SessionId;
  /** Texts of each input message. */
  readonly input: readonly (readonly string[])[];
  readonly options: RunOptions;
  /** Empty = one is made. */
  readonly requestId: string;
}

export interface StartRunDeps {
  readonly runs: RunRepository;
  readonly codec: MessageCodec;
  readonly spans: SpanExporter;
  readonly clock: Clock;
  readonly ids: IdGenerator;
  /** Id of this process: the owner of what it starts. */
  readonly instanceId: string;
  /** Takes the run from here; must not wait for it. */
  readonly drive: (started: StartedRun, caller: Caller) => void;
}

/** Tokens of a text, estimated: four bytes each. Exact counts depend on the model. */
function estimateTokens(payload: Uint8Array): number {
  return Math.ceil(payload.length / 4);
}

/**
 * Starts a run in an idle session: the run, RUN_START, its root span and the input are committed together, then it is
 * driven. The same request_id answers the run that it started, whatever has become of it.
 */
export class StartRun {
  readonly #deps: StartRunDeps;

  constructor(deps: StartRunDeps) {
    this.#deps = deps;
  }

  /** Throws SESSION_NOT_FOUND, SESSION_BUSY, REQUEST_ID_REUSED. */
  async execute(request: StartRunRequest): Promise<StartedRun> {
    const { caller, sessionId } = request;
    const requestId = request.requestId === '' ? this.#deps.ids.uuid() : request.requestId;
    const fingerprint = await digest(JSON.stringify([request.input, request.options]));
    const runId = brandId<RunId>(this.#deps.ids.uuid());
    const traceId = this.#deps.ids.traceId();
    const span: ExecSpanContext = {
      span: { id: this.#deps.ids.spanId(), par: '' },
      traceId,
      traceFlags: this.#deps.spans.traceFlags(traceId),
    };
    const rows = request.input.map((texts) => this.#inputRow(runId, texts));
    const beginning = { runId, requestId, fingerprint, span, rows, options: request.options };
    const found = await throughOutage(this.#deps.clock, () =>
      this.#deps.runs.start({ uid: caller.uid, sessionId, requestId, fingerprint }, (session) =>
        this.#begin(session, beginning),
      ),
    );
    // An attempt whose answer was lost may have started it: then it is found by its id, and nobody else drives it.
    const started = { ...found, isNew: found.run.id === runId };
    if (started.isNew) {
      this.#deps.drive(started, caller);
    }
    return started;
  }

  #inputRow(runId: RunId, texts: readonly string[]): ContextRow {
    const messageId = this.#deps.ids.uuid();
    const payload = this.#deps.codec.encode({ role: 'user', id: messageId, runId, texts });
    return { messageId, runId, role: role.user, tokens: estimateTokens(payload), payload };
  }

  #begin(session: Session, start: Beginning): RunBeginning {
    const { clock, instanceId } = this.#deps;
    const nowMs = clock.nowMs();
    const { runId, rows, span, options } = start;
    const epoch = session.epoch + 1;
    const run: Run = {
      id: runId,
      sessionId: session.id,
      requestId: start.requestId,
      fingerprint: start.fingerprint,
      status: 'RUNNING',
      ownerId: instanceId,
      epoch,
      attempt: 1,
      options,
      span,
      startSeq: session.lastSeq + 1,
      terminalSeq: 0,
      deadlineAtMs: options.timeoutMs === undefined ? undefined : nowMs + options.timeoutMs,
      cancelRequestedAtMs: undefined,
      cancelReason: '',
      ending: undefined,
      createdAtMs: nowMs,
      endedAtMs: undefined,
    };
    const { lastSeq, lastContextSeq } = session;
    const batch = new AppendBatch({ sessionId: session.id, runId, epoch, lastSeq, lastContextSeq }, clock);
    rows.forEach((row) => batch.addRow(row));
    firstEvents(run, rows).forEach((event) => batch.addDurable(event));
    return { run, events: batch.durable, contextRows: rows };
  }
}

interface Beginning {
  readonly runId: RunId;
  readonly requestId: string;
  readonly fingerprint: string;
  readonly span: ExecSpanContext;
  readonly rows: readonly ContextRow[];
  readonly options: RunOptions;
}

function firstEvents(run: Run, rows: readonly ContextRow[]): readonly UnplacedEvent[] {
  const at = { span: run.span.span, time: eventTime(run.createdAtMs) };
  const inputMessageIds = rows.map(({ messageId }) => messageId);
  const { agent } = run.options;
  return [
    { ...at, data: { case: 'runStart', value: { agent, attempt: 1, inputMessageIds, traceId: run.span.traceId } } },
    rootSpanStart(run),
    ...inputMessageIds.map((messageId): UnplacedEvent => {
      return { ...at, data: { case: 'message', value: { messageId, role: role.user, contextSeq: 0n } } };
    }),
  ];
}

async function digest(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return new Uint8Array(bytes).toHex();
}
