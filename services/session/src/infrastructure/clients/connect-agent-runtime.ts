import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import { type Client, createClient, type Transport } from '@connectrpc/connect';
import { Health, HealthCheckResponse_ServingStatus } from '@spanwise/contracts/grpc/health/v1/health';
import {
  AgentRuntimeService,
  type CheckpointFrame,
  type RunRequestSchema,
  type RunResponse,
  YieldReason,
} from '@spanwise/contracts/spanwise/runtime/v1/runtime';
import type { ToolResultPart } from '@spanwise/contracts/spanwise/type/v1/message';
import type { IdGenerator } from '@spanwise/kernel';
import { callOptions, toDomainError } from '@spanwise/service-kit';
import type { ToolPolicy } from '@spanwise/tool-kit/contract';
import type {
  AgentRuntime,
  Dispatch,
  Execution,
  ExecutorOutcome,
  RuntimeFrame,
} from '../../application/ports/agent-runtime.ts';
import type { ContextRow } from '../../domain/context/llm-context.ts';
import { inThread, type UnplacedEvent } from '../../domain/event/agent-event.ts';
import { runtimeUnavailable } from '../../domain/run/run-errors.ts';
import { FrameQueue } from './frame-queue.ts';
import { offTheRecord } from './off-the-record.ts';

/** How long a runtime may take to say that it is ready. */
const readyMs = 2_000;

type Request = MessageInitShape<typeof RunRequestSchema>;

/** The agent runtime over its bidirectional Run stream: one stream a dispatch. */
export class ConnectAgentRuntime implements AgentRuntime {
  readonly #clients: readonly Client<typeof AgentRuntimeService>[];
  readonly #health: readonly Client<typeof Health>[];
  readonly #ids: IdGenerator;
  #next = 0;

  /** Runs are spread over the transports, for the streams of one connection share one flow. */
  constructor(transports: readonly Transport[], ids: IdGenerator) {
    this.#ids = ids;
    this.#clients = transports.map((transport) => createClient(AgentRuntimeService, transport));
    this.#health = transports.map((transport) => createClient(Health, transport));
  }

  async isReady(signal: AbortSignal): Promise<boolean> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(readyMs)]);
    // Any connection will do: the next dispatch takes the next one.
    const health = this.#health[this.#next % this.#health.length];
    return (
      health
        ?.check({ service: AgentRuntimeService.typeName }, callOptions({ span: offTheRecord(this.#ids) }, limit))
        .then(
          ({ status }) => status === HealthCheckResponse_ServingStatus.SERVING,
          () => false,
        ) ?? false
    );
  }

  execute(dispatch: Dispatch, signal: AbortSignal): Execution {
    const client = this.#clients[this.#next % this.#clients.length];
    this.#next += 1;
    if (client === undefined) {
      throw runtimeUnavailable('no transport');
    }
    const { uid, email, token } = dispatch.caller;
    const requests = new FrameQueue<Request>();
    requests.push({ frame: { case: 'start', value: startFrame(dispatch) } });
    void sendHistory(dispatch, requests);
    const options = callOptions({ identity: { uid, email, token }, span: dispatch.span }, signal);
    return {
      frames: framesOf(client.run(requests, options), dispatch),
      acknowledge: (index, cancelRequested) =>
        requests.push({ frame: { case: 'ack', value: { index, cancelRequested } } }),
      abort: (reason) => requests.push({ frame: { case: 'abort', value: { reason } } }),
      detach: (graceMs) => requests.push({ frame: { case: 'detach', value: { grace: durationFromMs(graceMs) } } }),
    };
  }
}

function policyOf({ allow, ask, deny }: ToolPolicy) {
  return { allow: [...allow], ask: [...ask], deny: [...deny] };
}

function startFrame(dispatch: Dispatch) {
  const { sessionId, runId, epoch, attempt, span, options, deadlineAtMs, beginAtMs } = dispatch;
  return {
    sessionId,
    runId,
    epoch: BigInt(epoch),
    attempt,
    span: { span: span.span, traceId: span.traceId, traceFlags: span.traceFlags },
    agent: options.agent,
    model: options.model,
    maxTurns: options.maxTurns,
    toolsAllow: [...options.toolsAllow],
    toolsDeny: [...options.toolsDeny],
    interactive: options.interactive,
    policy: policyOf(options.toolPolicy),
    runLayer: true,
    threads: true,
    turns: dispatch.turns,
    results: [...dispatch.results] as ToolResultPart[],
    answers: [...dispatch.answers],
    ...(dispatch.spec === undefined ? {} : { spec: dispatch.spec }),
    ...(deadlineAtMs === undefined ? {} : { deadline: timestampFromMs(deadlineAtMs) }),
    ...(beginAtMs === undefined ? {} : { beginTime: timestampFromMs(beginAtMs) }),
  };
}

async function sendHistory({ history }: Dispatch, requests: FrameQueue<Request>): Promise<void> {
  try {
    for await (const { threadId, messages } of history) {
      const value = threadId === '' ? { messages: [...messages] } : { threadId, threadMessages: [...messages] };
      requests.push({ frame: { case: 'history', value: { ...value, last: false } } });
    }
    requests.push({ frame: { case: 'history', value: { messages: [], last: true } } });
  } catch (error) {
    requests.fail(error);
  }
}

async function* framesOf(responses: AsyncIterable<RunResponse>, dispatch: Dispatch): AsyncGenerator<RuntimeFrame> {
  try {
    for await (const { frame } of responses) {
      switch (frame.case) {
        case 'events':
          yield { kind: 'events', events: frame.value.events satisfies UnplacedEvent[] };
          break;
        case 'checkpoint':
          yield checkpointOf(frame.value, dispatch);
          break;
        case 'finish':
          yield { kind: 'finish', end: { outcome: outcomeOf(frame.value.outcome), usage: frame.value.usage } };
          return;
        case 'yield':
          yield { kind: 'yield', reason: frame.value.reason === YieldReason.WAITING ? 'waiting' : 'detached' };
          return;
        case undefined:
          // A newer runtime says something that this build does not know.
          break;
      }
    }
  } catch (error) {
    const failure = toDomainError(error);
    const isLost = failure.kind === 'unavailable' && failure.reason !== 'SHUTTING_DOWN';
    throw isLost ? runtimeUnavailable(error) : failure;
  }
}

/** Each row has its MESSAGE event in the same frame, in the same order: that is where its id is. */
function checkpointOf({ index, events, contextRows, spec }: CheckpointFrame, { runId }: Dispatch): RuntimeFrame {
  const ids = events.flatMap(({ data }) => (data.case === 'message' ? [data.value.messageId] : []));
  const rows = contextRows.map(({ message, role, tokens, threadId }, place): ContextRow => {
    return { messageId: ids[place] ?? '', runId, role, tokens, payload: message, ...inThread(threadId) };
  });
  return { kind: 'checkpoint', index, events, contextRows: rows, spec: spec.length === 0 ? undefined : spec };
}

function outcomeOf(outcome: Extract<RunResponse['frame'], { case: 'finish' }>['value']['outcome']): ExecutorOutcome {
  switch (outcome.case) {
    case 'completed':
      return { kind: 'completed', finishReason: outcome.value };
    case 'failed':
      return { kind: 'failed', error: outcome.value };
    default:
      return { kind: 'aborted' };
  }
}
