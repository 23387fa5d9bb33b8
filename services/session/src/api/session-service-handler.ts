import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from '@connectrpc/connect';
import { CancelResult, DisconnectPolicy, type SessionService } from '@spanwise/contracts/spanwise/session/v1/session';
import { brandId, type RunId, type SessionId } from '@spanwise/kernel';
import { requireIdentity } from '@spanwise/service-kit';
import type { AnswerInterrupt } from '../application/answer-interrupt.ts';
import type { CancelRun } from '../application/cancel-run.ts';
import type { FollowStep } from '../application/follow-log.ts';
import type { ManageSessions } from '../application/manage-sessions.ts';
import type { ReadLog } from '../application/read-log.ts';
import type { ReadRuns } from '../application/read-runs.ts';
import type { RunSession } from '../application/run-session.ts';
import type { StartRun } from '../application/start-run.ts';
import type { WatchSession } from '../application/watch-session.ts';
import {
  busyPolicyOf,
  callerOf,
  jsonOf,
  optionalRunId,
  runOptionsOf,
  sessionChangeOf,
  textsOf,
  toolPolicyOf,
} from './from-proto.ts';
import { toProtoMessage } from './stored-message.ts';
import { toProtoEvents, toProtoRun, toProtoSession, toProtoSpan, toProtoStopped } from './to-proto.ts';

export interface SessionUseCases {
  readonly manageSessions: ManageSessions;
  readonly startRun: StartRun;
  readonly runSession: RunSession;
  readonly watchSession: WatchSession;
  readonly cancelRun: CancelRun;
  readonly answerInterrupt: AnswerInterrupt;
  readonly readRuns: ReadRuns;
  readonly readLog: ReadLog;
}

/** Translates requests in, calls a use case, translates its answer out. */
export function sessionServiceHandler(useCases: SessionUseCases): ServiceImpl<typeof SessionService> {
  return { ...sessionRpcs(useCases), ...streamRpcs(useCases), ...runRpcs(useCases), ...logRpcs(useCases) };
}

const callerIn = (context: HandlerContext) => callerOf(requireIdentity(context));
const pageOf = ({ pageSize, pageToken }: { pageSize: number; pageToken: string }) => {
  return { size: pageSize, token: pageToken };
};
const sessionIdOf = ({ sessionId }: { sessionId: string }) => brandId<SessionId>(sessionId);

function sessionRpcs({ manageSessions }: SessionUseCases) {
  return {
    async createSession(request, context) {
      const { title, requestId } = request;
      const toolPolicy = toolPolicyOf(request.toolPolicy, 'tool_policy');
      const session = await manageSessions.create(callerIn(context), { title, requestId, toolPolicy });
      return { session: toProtoSession(session) };
    },
    async getSession(request, context) {
      return { session: toProtoSession(await manageSessions.get(callerIn(context), sessionIdOf(request))) };
    },
    async listSessions(request, context) {
      const { items, nextToken } = await manageSessions.list(callerIn(context), pageOf(request));
      return { sessions: items.map(toProtoSession), nextPageToken: nextToken };
    },
    async updateSession(request, context) {
      const change = sessionChangeOf(request);
      const session = await manageSessions.update(callerIn(context), sessionIdOf(request), change);
      return { session: toProtoSession(session) };
    },
    async deleteSession(request, context) {
      await manageSessions.delete(callerIn(context), sessionIdOf(request), request.cancelActiveRun);
      return {};
    },
  } satisfies Partial<ServiceImpl<typeof SessionService>>;
}

function streamRpcs({ runSession, watchSession }: SessionUseCases) {
  return {
    async *runSession(request, context) {
      const steps = runSession.execute(
        {
          ...startOf(request, context),
          afterSeq: Number(request.afterSeq),
          live: request.live ?? true,
          cancelsOnDisconnect: request.disconnectPolicy === DisconnectPolicy.CANCEL,
        },
        { signal: context.signal, isLeftByClient: () => !isShutdown(context.signal) },
      );
      for await (const step of steps) {
        if (step.kind === 'run') {
          yield { run: toProtoRun(step.run) };
        } else if (step.kind !== 'caught-up') {
          yield followFields(step);
        }
      }
    },
    async *watchSession(request, context) {
      const { afterSeq, runId, live } = request;
      const query = { afterSeq: Number(afterSeq), runId: optionalRunId(runId), live: live ?? true };
      const caller = callerIn(context);
      for await (const step of watchSession.execute(
        { caller, sessionId: sessionIdOf(request), ...query },
        context.signal,
      )) {
        yield step.kind === 'caught-up' ? { caughtUp: { seq: BigInt(step.seq) } } : followFields(step);
      }
    },
  } satisfies Partial<ServiceImpl<typeof SessionService>>;
}

function runRpcs({ startRun, cancelRun, answerInterrupt, readRuns }: SessionUseCases) {
  return {
    async startRun(request, context) {
      const { run } = await startRun.execute(startOf(request, context));
      return { run: toProtoRun(run) };
    },
    async cancelRun(request, context) {
      const query = {
        caller: callerIn(context),
        sessionId: sessionIdOf(request),
        runId: optionalRunId(request.runId),
        reason: request.reason,
        waits: request.wait,
      };
      const { isAccepted, run } = await cancelRun.execute(query, context.signal);
      return {
        result: isAccepted ? CancelResult.ACCEPTED : CancelResult.ALREADY_ENDED,
        run: toProtoRun(run),
        receipt: run.ending?.receipt?.map(toProtoStopped) ?? [],
      };
    },
    async answerInterrupt(request, context) {
      const { runId, interruptId, answerJson } = request;
      const answer = { runId: brandId<RunId>(runId), interruptId, answerJson: jsonOf(answerJson) };
      const run = await answerInterrupt.execute({
        caller: callerIn(context),
        sessionId: sessionIdOf(request),
        ...answer,
      });
      return { run: toProtoRun(run) };
    },
    async getRun(request, context) {
      const id = brandId<RunId>(request.runId);
      const { run, interrupts } = await readRuns.get(callerIn(context), sessionIdOf(request), id);
      return { run: toProtoRun(run, interrupts) };
    },
    async listRuns(request, context) {
      const { items, nextToken } = await readRuns.list(callerIn(context), sessionIdOf(request), pageOf(request));
      return { runs: items.map((run) => toProtoRun(run)), nextPageToken: nextToken };
    },
  } satisfies Partial<ServiceImpl<typeof SessionService>>;
}

function logRpcs({ readLog }: SessionUseCases) {
  return {
    async listEvents(request, context) {
      const query = { runId: optionalRunId(request.runId), afterSeq: Number(request.afterSeq) };
      const page = await readLog.events(callerIn(context), sessionIdOf(request), query, pageOf(request));
      return { events: toProtoEvents(page.items), nextPageToken: page.nextToken };
    },
    async listMessages(request, context) {
      const { threadId } = request;
      const page = await readLog.messages(callerIn(context), sessionIdOf(request), threadId, pageOf(request));
      return { messages: page.items.map(toProtoMessage), nextPageToken: page.nextToken };
    },
    async listSpans(request, context) {
      const runId = brandId<RunId>(request.runId);
      const page = await readLog.spans(callerIn(context), sessionIdOf(request), runId, pageOf(request));
      return { spans: page.items.map(toProtoSpan), nextPageToken: page.nextToken };
    },
  } satisfies Partial<ServiceImpl<typeof SessionService>>;
}

function startOf(
  request: {
    sessionId: string;
    input: Parameters<typeof textsOf>[0];
    options?: Parameters<typeof runOptionsOf>[0];
    requestId: string;
    busyPolicy: Parameters<typeof busyPolicyOf>[0];
  },
  context: HandlerContext,
) {
  return {
    caller: callerIn(context),
    sessionId: sessionIdOf(request),
    input: textsOf(request.input),
    options: runOptionsOf(request.options),
    requestId: request.requestId,
    busyPolicy: busyPolicyOf(request.busyPolicy),
  };
}

function followFields(step: Exclude<FollowStep, { kind: 'caught-up' }>) {
  switch (step.kind) {
    case 'events':
      return { events: toProtoEvents(step.events) };
    case 'heartbeat':
      return { heartbeat: { lastSeq: BigInt(step.lastSeq) } };
    case 'handoff': {
      const retry = step.retryAfterMs === undefined ? {} : { retryAfter: durationFromMs(step.retryAfterMs) };
      return { handoff: { afterSeq: BigInt(step.afterSeq), ...retry } };
    }
  }
}

/** A server that shuts down aborts its streams with a reason of its own. */
function isShutdown({ reason }: AbortSignal): boolean {
  return reason instanceof ConnectError && reason.code === Code.Unavailable;
}
