import { SpanwiseClient } from '@spanwise/client';
import type { AgentEvent } from '@spanwise/contracts/spanwise/event/v1/event';
import { type BusyPolicy, type Run, RunStatus } from '@spanwise/contracts/spanwise/session/v1/session';
import type { RunScript } from '../provider/run-script.ts';
import { ClientView } from './client-view.ts';
import { followStream } from './follow-stream.ts';
import { isPassing, type RecordedClient } from './recorded-client.ts';

export interface RunRequest {
  readonly client: RecordedClient;
  readonly sessionId: string;
  readonly script: RunScript;
  readonly busyPolicy?: BusyPolicy;
  readonly signal: AbortSignal;
  /** Told of every event, after the view has it. */
  readonly onEvent?: (event: AgentEvent) => void;
  readonly onRun?: (run: Run) => void;
  /** Milliseconds after which the client leaves and attaches again; undefined = it stays. */
  readonly stayMs?: () => number;
  /** Events after this seq; default from RUN_START. */
  readonly view?: ClientView;
}

/** What came of a run, as its client saw it. */
export interface RunSight {
  readonly view: ClientView;
  readonly runId: string;
  readonly terminal: 'runEnd' | 'runError' | 'runWaiting' | 'cancelled-in-queue' | undefined;
}

/** Starts a run by its script's id and follows it to its end, over all breaks, on a raw stream. */
export async function followRun(request: RunRequest): Promise<RunSight> {
  const { client, sessionId, script } = request;
  const view = request.view ?? new ClientView({ client: client.name, uid: client.uid, sessionId, form: 'exact' });
  const sight = new Sight(request, view);
  const message = {
    sessionId,
    requestId: script.id,
    input: [{ parts: [{ part: { case: 'text' as const, value: JSON.stringify(script) } }] }],
    ...(request.busyPolicy === undefined ? {} : { busyPolicy: request.busyPolicy }),
  };
  await followStream({
    rpc: 'RunSession',
    ...{ client, view, signal: request.signal },
    ...(request.stayMs === undefined ? {} : { stayMs: request.stayMs }),
    open(afterSeq, signal) {
      return client.sessions.runSession({ ...message, afterSeq }, { signal, headers: client.headers });
    },
    onMessage: ({ run }) => sight.accept(run),
    onEvent: (event) => sight.saw(event),
    // A run that was cancelled in the queue has no terminal event, and a stream that begins behind the end has no more.
    isOver: () => sight.isOverWithoutMore(view.cursor),
  });
  return sight.result();
}

/** The same through the SDK, as its users do it. */
export async function followRunWithSdk(request: RunRequest, baseUrl: string): Promise<RunSight> {
  const { client, sessionId, script, busyPolicy } = request;
  const sdk = new SpanwiseClient({ baseUrl, uid: client.uid });
  const view = new ClientView({ client: `${client.name} (sdk)`, uid: client.uid, sessionId, form: 'told' });
  const sight = new Sight(request, view);
  while (!request.signal.aborted && sight.terminal === undefined) {
    const events = sdk.run(
      {
        ...{ sessionId, input: JSON.stringify(script), requestId: script.id, afterSeq: BigInt(view.cursor) },
        ...(busyPolicy === undefined ? {} : { busyPolicy }),
        onRun: (run) => sight.accept(run),
      },
      { signal: request.signal },
    );
    try {
      for await (const event of events) {
        view.accept(event);
        sight.saw(event);
      }
      if (sight.isOverWithoutMore(view.cursor)) {
        break;
      }
    } catch (error) {
      if (!isPassing(error)) {
        throw error;
      }
    }
  }
  return sight.result();
}

/** What a client has learned of a run. */
class Sight {
  terminal: RunSight['terminal'];
  readonly #request: RunRequest;
  readonly #view: ClientView;
  #run: Run | undefined;

  constructor(request: RunRequest, view: ClientView) {
    this.#request = request;
    this.#view = view;
  }

  accept(run: Run | undefined): void {
    if (run === undefined) {
      return;
    }
    const { client, sessionId, script, onRun } = this.#request;
    const { name } = client;
    client.history.add({ kind: 'started', client: name, sessionId, requestId: script.id, runId: run.id });
    if (this.#run === undefined) {
      onRun?.(run);
    }
    this.#run = run;
    this.#view.runId = run.id;
  }

  /** True at the end. */
  saw(event: AgentEvent): boolean {
    const { client, onEvent } = this.#request;
    const kind = event.data.case;
    onEvent?.(event);
    if (kind !== 'runEnd' && kind !== 'runError' && kind !== 'runWaiting') {
      return false;
    }
    this.terminal = kind;
    if (kind !== 'runWaiting') {
      client.history.add({ kind: 'ended', client: client.name, runId: event.runId, terminal: kind });
    }
    return true;
  }

  isOverWithoutMore(cursor: number): boolean {
    const run = this.#run;
    if (run?.status === RunStatus.CANCELLED && run.startSeq === 0n) {
      this.terminal ??= 'cancelled-in-queue';
      return true;
    }
    return run !== undefined && run.terminalSeq > 0n && Number(run.terminalSeq) <= cursor;
  }

  result(): RunSight {
    this.#view.isComplete = this.terminal === 'runEnd' || this.terminal === 'runError';
    return { view: this.#view, runId: this.#run?.id ?? '', terminal: this.terminal };
  }
}
