import { brandId, type RunId, type SessionId, type Uid } from '@spanwise/kernel';
import { noPolicy } from '@spanwise/tool-kit/contract';
import type { ContextRow } from '../src/domain/context/llm-context.ts';
import { type AgentEvent, type EventData, eventTime } from '../src/domain/event/agent-event.ts';
import type { Append, AppendPosition } from '../src/domain/event/event-log.ts';
import type { Run, RunEnding } from '../src/domain/run/run.ts';
import type { Finish, RunBeginning, StartPlan, StartRequest } from '../src/domain/run/run-repository.ts';
import type { Session } from '../src/domain/session/session.ts';
import { ids } from './repository-sets.ts';

export const alice = brandId<Uid>('alice');
export const bob = brandId<Uid>('bob');

export function newSession(facts: Partial<Session> = {}): Session {
  return {
    id: brandId<SessionId>(ids.uuid()),
    uid: alice,
    requestId: '',
    title: '',
    toolPolicy: noPolicy,
    status: 'IDLE',
    activeRunId: undefined,
    epoch: 0,
    lastSeq: 0,
    firstSeq: 1,
    lastContextSeq: 0,
    createdAtMs: 1_800_000_000_000,
    updatedAtMs: 1_800_000_000_000,
    ...facts,
  };
}

/** What a run begins with: one event and one row. */
function beginning(session: Session, facts: Partial<Run> = {}): RunBeginning {
  const id = facts.id ?? brandId<RunId>(ids.uuid());
  const run: Run = {
    id,
    sessionId: session.id,
    requestId: ids.uuid(),
    fingerprint: 'same',
    status: 'RUNNING',
    ownerId: '00000000-0000-7000-8000-00000000000a',
    epoch: session.epoch + 1,
    attempt: 1,
    lostAttempts: 0,
    spec: undefined,
    email: '',
    sealedToken: '',
    remainingMs: undefined,
    wakeAtMs: undefined,
    options: {
      agent: 'default',
      model: '',
      maxTurns: 0,
      toolsAllow: [],
      toolsDeny: [],
      timeoutMs: undefined,
      interactive: true,
      onCancel: 'keep',
      toolPolicy: noPolicy,
    },
    span: { span: { id: ids.spanId(), par: '' }, traceId: ids.traceId(), traceFlags: 1 },
    startSeq: session.lastSeq + 1,
    terminalSeq: 0,
    deadlineAtMs: undefined,
    cancelRequestedAtMs: undefined,
    cancelReason: '',
    rollsBack: false,
    ending: undefined,
    createdAtMs: 1_800_000_000_000,
    endedAtMs: undefined,
    ...facts,
  };
  const value = { agent: 'default', attempt: 1, inputMessageIds: [], traceId: run.span.traceId };
  const event = eventAt(session.lastSeq + 1, session.id, id, run.epoch, { case: 'runStart', value });
  return { run, events: [event], contextRows: [rowOf(id)] };
}

/** How a run begins, at once or later. */
export function planOf(facts: Partial<Run> = {}): StartPlan {
  return {
    begin: (session) => beginning(session, facts),
    queue: (session) => {
      const { run, contextRows } = beginning(session, facts);
      const queued = { ...run, status: 'QUEUED', ownerId: undefined, epoch: 0, attempt: 0, startSeq: 0 } as const;
      return { run: queued, input: contextRows };
    },
  };
}

/** A request for a run, with an id of its own unless one is given. */
export function startRequest(sessionId: SessionId, facts: Partial<StartRequest> = {}): StartRequest {
  return { uid: alice, sessionId, requestId: ids.uuid(), fingerprint: 'same', busyPolicy: 'reject', ...facts };
}

/** The last event of a run, and how it ends. */
export function finishOf(position: AppendPosition, ending: RunEnding, nextOwnerId?: string, rollsBack = false): Finish {
  const value = { outcome: 1, finishReason: 1 };
  const { sessionId, runId, epoch, lastSeq } = position;
  const last = eventAt(lastSeq + 1, sessionId, runId, epoch, { case: 'runEnd', value });
  const append = { position, events: [last], contextRows: [rowOf(runId)] };
  return {
    append,
    ending,
    terminalSeq: lastSeq + 1,
    nowMs: 1_800_000_001_000,
    rollsBack,
    nextOwnerId,
    beginNext: ({ run, input }, session) => {
      const next = { ...run, status: 'RUNNING', epoch: session.epoch + 1, attempt: 1 } as const;
      const { events } = beginning(session, next);
      return { run: { ...next, startSeq: session.lastSeq + 1 }, events, contextRows: input };
    },
  };
}

export function eventAt(seq: number, sessionId: SessionId, runId: RunId, epoch: number, data: EventData): AgentEvent {
  const span = { id: 'aaaaaaaaaaaaaaaa', par: '' };
  return { seq: BigInt(seq), sessionId, runId, epoch: BigInt(epoch), span, time: eventTime(1_800_000_000_123.5), data };
}

function rowOf(runId: RunId): ContextRow {
  return { messageId: ids.uuid(), runId, role: 2, tokens: 3, payload: new Uint8Array([0, 1, 255]) };
}

/** An append of `count` text chunks at a position. */
export function appendOf(position: AppendPosition, count = 1): Append {
  const { sessionId, runId, epoch, lastSeq } = position;
  const events = Array.from({ length: count }, (_, n) => {
    const value = { blockId: 'b', offset: BigInt(n), text: 'é', elidedBytes: 0n };
    return eventAt(lastSeq + n + 1, sessionId, runId, epoch, { case: 'textDelta', value });
  });
  return { position, events, contextRows: [rowOf(runId)] };
}
