import type { MessageInitShape } from '@bufbuild/protobuf';
import { type Client, Code, createClient, type Interceptor, type Transport } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import type { AgentEvent } from '@spanwise/contracts/spanwise/event/v1/event';
import {
  type BusyPolicy,
  CancelResult,
  type CancelRunResponse,
  type DisconnectPolicy,
  type Run,
  type RunOptionsSchema,
  RunStatus,
  type Session,
  SessionService,
} from '@spanwise/contracts/spanwise/session/v1/session';
import type { ToolPolicySchema } from '@spanwise/contracts/spanwise/type/v1/policy';
import { type ResumeOptions, resume } from './resume.ts';
import { SpanwiseError } from './spanwise-error.ts';

export interface SpanwiseClientOptions {
  /** Address of the session service, for example `http://127.0.0.1:7001`. */
  readonly baseUrl: string;
  /** The user's token, sent as `Authorization: Bearer`; called for each request, so that it can be a fresh one. */
  readonly token?: () => string | Promise<string>;
  /** Only for services that run with SPANWISE_AUTH=insecure-dev. */
  readonly uid?: string;
  /** Replaces the gRPC transport. */
  readonly transport?: Transport;
}

export interface RunRequest {
  readonly sessionId: string;
  /** What the user says; several texts are several messages. */
  readonly input: string | readonly string[];
  readonly options?: MessageInitShape<typeof RunOptionsSchema>;
  /** Makes the run idempotent over processes of the caller; default: one that lives as long as the iterable. */
  readonly requestId?: string;
  /** Events after this seq; default 0n = from RUN_START. */
  readonly afterSeq?: bigint;
  /** False: durable events only, each with its whole text; for callers that store. Default true. */
  readonly live?: boolean;
  readonly disconnectPolicy?: DisconnectPolicy;
  /**
   * What to do when a run is active; default: refuse with SESSION_BUSY. With ROLLBACK the messages of the active run are no
   * longer part of the session once its RUN_ROLLED_BACK has come.
   */
  readonly busyPolicy?: BusyPolicy;
  /** Told once the run is known. */
  readonly onRun?: (run: Run) => void;
}

export interface WatchRequest {
  readonly sessionId: string;
  /** Events after this seq; 0n (default) = from the first, -1n = only new ones. */
  readonly afterSeq?: bigint;
  readonly runId?: string;
  readonly live?: boolean;
  /** Told when what was in the log has been replayed. */
  readonly onCaughtUp?: (seq: bigint) => void;
}

/** Calls a Spanwise session service. Its streams survive breaks; its errors are {@link SpanwiseError}s. */
export class SpanwiseClient {
  /** The plain Connect client, for everything that has no method of its own here. */
  readonly sessions: Client<typeof SessionService>;

  constructor({ baseUrl, token, uid, transport }: SpanwiseClientOptions) {
    const credentials: Interceptor = (next) => async (request) => {
      // What one call brings of its own stays.
      const bearer = request.header.has('authorization') ? undefined : await token?.();
      if (bearer !== undefined) {
        request.header.set('authorization', `Bearer ${bearer}`);
      }
      if (uid !== undefined) {
        request.header.set('uid', uid);
      }
      return next(request);
    };
    this.sessions = createClient(
      SessionService,
      transport ??
        createGrpcTransport({
          baseUrl,
          interceptors: [credentials],
          pingIntervalMs: 10_000,
          pingTimeoutMs: 5_000,
          readMaxBytes: 16 * 1024 * 1024,
        }),
    );
  }

  /** `toolPolicy`: rules for calls of tools in all its runs, besides those of its agents. */
  async createSession(
    title = '',
    requestId: string = crypto.randomUUID(),
    toolPolicy?: MessageInitShape<typeof ToolPolicySchema>,
  ): Promise<Session> {
    const request = { title, requestId, ...(toolPolicy === undefined ? {} : { toolPolicy }) };
    const { session } = await this.#call(() => this.sessions.createSession(request));
    return present(session);
  }

  /**
   * Sends a message and tells the events of the run that answers it, to RUN_END or RUN_ERROR, with the files that it has
   * published (OUTPUT_FILE) or that it was taken back (RUN_ROLLED_BACK) right before; or to RUN_WAITING, when it
   * waits for its user: answer, then call again with the same `requestId` and the last seq. A run that was cancelled in the
   * queue has no events. What agents say that work on delegated tasks has a `threadId`: the answer to the user is the text of
   * events without one. Leaving the loop, or the signal, ends the watching, not the run (unless `disconnectPolicy` says
   * so).
   */
  async *run(request: RunRequest, options: ResumeOptions = {}): AsyncGenerator<AgentEvent, void> {
    const { sessionId, live = true, onRun, disconnectPolicy, busyPolicy } = request;
    const texts = typeof request.input === 'string' ? [request.input] : request.input;
    const message = {
      sessionId,
      input: texts.map((text) => ({ parts: [{ part: { case: 'text' as const, value: text } }] })),
      requestId: request.requestId ?? crypto.randomUUID(),
      live,
      ...(request.options === undefined ? {} : { options: request.options }),
      ...(disconnectPolicy === undefined ? {} : { disconnectPolicy }),
      ...(busyPolicy === undefined ? {} : { busyPolicy }),
    };
    let run: Run | undefined;
    yield* resume(
      {
        afterSeq: request.afterSeq ?? 0n,
        open: (afterSeq, signal) => this.sessions.runSession({ ...message, afterSeq }, { signal }),
        isLast: ({ data, runId }) => runId === run?.id && (data.case === 'runEnd' || data.case === 'runError'),
        isAtEnd: (last) => last?.data.case === 'runWaiting' || hasNothingToTell(run),
        onMessage: (response) => {
          if (response.run !== undefined && run === undefined) {
            onRun?.(response.run);
          }
          run = response.run ?? run;
        },
      },
      options,
    );
  }

  /** Tells the events of a session until the signal, over all breaks. */
  async *watch(request: WatchRequest, options: ResumeOptions = {}): AsyncGenerator<AgentEvent, void> {
    const { sessionId, runId = '', live = true, onCaughtUp } = request;
    yield* resume(
      {
        afterSeq: request.afterSeq ?? 0n,
        open: (afterSeq, signal) => this.sessions.watchSession({ sessionId, runId, live, afterSeq }, { signal }),
        isLast: () => false,
        isAtEnd: () => false,
        onMessage: ({ caughtUp }) => {
          if (caughtUp !== undefined) {
            onCaughtUp?.(caughtUp.seq);
          }
        },
      },
      options,
    );
  }

  /** Asks a run to stop. True when it will; false when it was over already. Without a run id: the active one. */
  async cancel(sessionId: string, runId = '', reason = ''): Promise<boolean> {
    const { result } = await this.#call(() => this.sessions.cancelRun({ sessionId, runId, reason }));
    return result === CancelResult.ACCEPTED;
  }

  /** Cancels a run and waits until nothing of it is going on; tells what was, and how each ended. */
  async stop(sessionId: string, runId = '', reason = ''): Promise<CancelRunResponse> {
    return this.#call(() => this.sessions.cancelRun({ sessionId, runId, reason, wait: true }));
  }

  /** Answers what a run waits for, with any JSON value. */
  async answer(sessionId: string, runId: string, interruptId: string, value: unknown): Promise<Run> {
    const answer = { sessionId, runId, interruptId, answerJson: JSON.stringify(value) };
    const { run } = await this.#call(() => this.sessions.answerInterrupt(answer));
    return present(run);
  }

  /**
   * Answers a run that waits because a disk did not take the user's token (an interrupt of kind `InterruptKind.AUTH`): the
   * run goes on with the token of this request, and keeps it. `token` is that of this request only; without it the client's
   * own is sent, fresh from its function. To go on without signing in, answer `{ signed_in: false }`.
   */
  async signIn(sessionId: string, runId: string, interruptId: string, token?: string): Promise<Run> {
    const answer = { sessionId, runId, interruptId, answerJson: JSON.stringify({ signed_in: true }) };
    const options = token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } };
    const { run } = await this.#call(() => this.sessions.answerInterrupt(answer, options));
    return present(run);
  }

  /**
   * Approves a call that a run waits with (an interrupt of kind `InterruptKind.APPROVAL`): exactly what `interrupt.approval`
   * shows, or with other arguments.
   */
  async approve(sessionId: string, runId: string, interruptId: string, changed?: object): Promise<Run> {
    return this.answer(sessionId, runId, interruptId, { approved: true, arguments: changed });
  }

  /** Declines such a call. The reason is told to the model. */
  async decline(sessionId: string, runId: string, interruptId: string, reason?: string): Promise<Run> {
    return this.answer(sessionId, runId, interruptId, { approved: false, reason });
  }

  async #call<Response>(call: () => Promise<Response>): Promise<Response> {
    try {
      return await call();
    } catch (error) {
      throw SpanwiseError.from(error);
    }
  }
}

/**
 * What is over when the stream begins has nothing to tell after its terminal event, or, out of the queue, nothing at all;
 * what waits has nothing to tell after RUN_WAITING.
 */
function hasNothingToTell(run: Run | undefined): boolean {
  const quiet: readonly RunStatus[] = [RunStatus.CANCELLED, RunStatus.WAITING];
  return run !== undefined && (run.terminalSeq > 0n || quiet.includes(run.status));
}

function present<Value>(value: Value | undefined): Value {
  if (value === undefined) {
    throw new SpanwiseError(Code.Internal, 'INTERNAL', 'The answer is incomplete.');
  }
  return value;
}
