import { brandId, type Clock, type IdGenerator, type RunId, type SessionId } from '@spanwise/kernel';
import { joinPolicies } from '@spanwise/tool-kit/contract';
import type { ContextRow } from '../domain/context/llm-context.ts';
import { role } from '../domain/event/agent-event.ts';
import type { Run, RunOptions } from '../domain/run/run.ts';
import { shuttingDown } from '../domain/run/run-errors.ts';
import type { BusyPolicy, RunRepository, StartPlan } from '../domain/run/run-repository.ts';
import type { Session } from '../domain/session/session.ts';
import type { AnnounceCancel } from './announce-cancel.ts';
import { beginRun } from './begin-run.ts';
import type { Caller } from './ports/caller.ts';
import type { MessageCodec } from './ports/message-codec.ts';
import type { SpanExporter } from './ports/span-exporter.ts';
import type { TokenSeal } from './ports/token-seal.ts';
import type { RunDrivers } from './run-drivers.ts';
import { throughOutage } from './through-outage.ts';

export interface StartRunRequest {
  readonly caller: Caller;
  readonly sessionId: SessionId;
  /** Texts of each input message. */
  readonly input: readonly (readonly string[])[];
  readonly options: RunOptions;
  /** Empty = one is made. */
  readonly requestId: string;
  readonly busyPolicy: BusyPolicy;
}

export interface StartRunDeps {
  readonly runs: RunRepository;
  readonly codec: MessageCodec;
  readonly spans: SpanExporter;
  readonly clock: Clock;
  readonly ids: IdGenerator;
  readonly drivers: RunDrivers;
  /** Id of this process: the owner of what it starts. */
  readonly instanceId: () => string;
  /** Tells whoever drives a run that its cancel was requested. */
  readonly announceCancel: AnnounceCancel;
  readonly tokens: TokenSeal;
}

/** Tokens of a text, estimated: four bytes each. Exact counts depend on the model. */
function estimateTokens(payload: Uint8Array): number {
  return Math.ceil(payload.length / 4);
}

/**
 * Starts a run: in an idle session the run, RUN_START, its root span and the input are committed together, then it is
 * driven; in a busy one the policy decides. The same request_id answers the run that it made, whatever has become of it.
 */
export class StartRun {
  readonly #deps: StartRunDeps;

  constructor(deps: StartRunDeps) {
    this.#deps = deps;
  }

  /** Throws SESSION_NOT_FOUND, SESSION_BUSY, QUEUE_FULL, REQUEST_ID_REUSED, SHUTTING_DOWN. */
  async execute(request: StartRunRequest): Promise<{ readonly run: Run }> {
    const { clock, drivers, runs } = this.#deps;
    if (drivers.isLeaving) {
      throw shuttingDown();
    }
    const { caller, sessionId, busyPolicy } = request;
    const made = await this.#make(request);
    const { requestId, fingerprint, id } = made.run;
    const plan = this.#plan(made);
    const identity = { uid: caller.uid, sessionId, requestId, fingerprint, busyPolicy };
    const outcome = await throughOutage(clock, () => runs.start(identity, plan));
    switch (outcome.kind) {
      case 'started':
        drivers.drive(outcome.started, caller);
        return outcome.started;
      case 'queued':
        if (outcome.cancelled !== undefined) {
          this.#deps.announceCancel.execute({ id: outcome.cancelled, sessionId });
        }
        return outcome;
      case 'found':
        // An attempt whose answer was lost may have started it: then it is found by its id, and nobody else drives it.
        if (outcome.run.id === id && outcome.run.ownerId === this.#deps.instanceId()) {
          drivers.drive({ ...outcome, uid: caller.uid }, caller);
        }
        return outcome;
    }
  }

  async #make({ caller, sessionId, input, options, ...request }: StartRunRequest): Promise<MadeRun> {
    const { ids, spans, clock, tokens } = this.#deps;
    const runId = brandId<RunId>(ids.uuid());
    const traceId = ids.traceId();
    const run: Run = {
      id: runId,
      sessionId,
      requestId: request.requestId === '' ? ids.uuid() : request.requestId,
      fingerprint: await digest(JSON.stringify([input, toldOptions(options)])),
      status: 'QUEUED',
      ownerId: undefined,
      epoch: 0,
      attempt: 0,
      lostAttempts: 0,
      options,
      spec: undefined,
      email: caller.email,
      sealedToken: tokens.seal(caller.token, runId),
      span: { span: { id: ids.spanId(), par: '' }, traceId, traceFlags: spans.traceFlags(traceId) },
      startSeq: 0,
      terminalSeq: 0,
      deadlineAtMs: undefined,
      remainingMs: undefined,
      wakeAtMs: undefined,
      cancelRequestedAtMs: undefined,
      cancelReason: '',
      rollsBack: false,
      ending: undefined,
      createdAtMs: clock.nowMs(),
      endedAtMs: undefined,
    };
    return { run, rows: input.map((texts) => this.#inputRow(runId, texts)) };
  }

  #plan({ run, rows }: MadeRun): StartPlan {
    const { clock, instanceId } = this.#deps;
    return {
      begin: (session) => beginRun(clock, session, withRulesOf(session, run), rows, instanceId()),
      queue: (session) => ({ run: withRulesOf(session, run), input: rows }),
    };
  }

  #inputRow(runId: RunId, texts: readonly string[]): ContextRow {
    const messageId = this.#deps.ids.uuid();
    const payload = this.#deps.codec.encode({ role: 'user', id: messageId, runId, texts });
    return { messageId, runId, role: role.user, tokens: estimateTokens(payload), payload };
  }
}

interface MadeRun {
  readonly run: Run;
  readonly rows: readonly ContextRow[];
}

/** The run keeps the rules that its session has now, whatever becomes of them. */
function withRulesOf({ toolPolicy }: Session, run: Run): Run {
  return { ...run, options: { ...run.options, toolPolicy: joinPolicies(toolPolicy, run.options.toolPolicy) } };
}

/** The default of an option that is newer than others is as if it were not there: older versions made the same digest. */
function toldOptions({ onCancel, toolPolicy, ...options }: RunOptions): Partial<RunOptions> {
  const { allow, ask, deny } = toolPolicy;
  const isRuled = allow.length + ask.length + deny.length > 0;
  return {
    ...options,
    ...(onCancel === 'keep' ? {} : { onCancel }),
    ...(isRuled ? { toolPolicy: { allow, ask, deny } } : {}),
  };
}

async function digest(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return new Uint8Array(bytes).toHex();
}
