import type { Clock, DomainError, IdGenerator } from '@spanwise/kernel';
import type { ContextRow } from '../domain/context/llm-context.ts';
import {
  type AgentError,
  type EventData,
  eventTime,
  finishReason,
  role,
  runOutcome,
  spanStatus,
  type ToolResult,
  type UnplacedEvent,
} from '../domain/event/agent-event.ts';
import type { Run, RunEnding, StoppedSpan } from '../domain/run/run.ts';
import { runtimeUnavailable } from '../domain/run/run-errors.ts';
import type { Finish, RunRepository, StartedRun } from '../domain/run/run-repository.ts';
import { beginRun } from './begin-run.ts';
import type { ExecutorEnd } from './ports/agent-runtime.ts';
import type { MessageCodec } from './ports/message-codec.ts';
import type { RunWriter } from './run-writer.ts';
import type { StopReceipt } from './stop-receipt.ts';
import { throughOutage } from './through-outage.ts';

/** Makes what is said inside streams of an error. */
export type ErrorTranslator = (error: DomainError) => AgentError;

export interface EndRunDeps {
  readonly runs: RunRepository;
  readonly codec: MessageCodec;
  readonly clock: Clock;
  readonly ids: IdGenerator;
  readonly toAgentError: ErrorTranslator;
  /** Who drives the run that begins with the end of this one; undefined = any replica. */
  readonly nextOwnerId: () => string | undefined;
  /** Tells the other replicas that a run is without an owner. */
  readonly announceReleased: (run: Run) => void;
}

/**
 * Ends a run: decides between completed, cancelled and failed (a cancel that was accepted before the agent was done wins),
 * closes what is open, answers every tool call, and commits all of it with the terminal event and the begin of the next run
 * of the queue, which it answers. Throws FENCED when the run is somebody else's by now, DATABASE_UNAVAILABLE when nothing
 * can be stored.
 */
export async function endRun(
  deps: EndRunDeps,
  run: Run,
  writer: RunWriter,
  end: ExecutorEnd,
  receipt?: StopReceipt,
): Promise<StartedRun | undefined> {
  writer.stop();
  await writer.settled();
  const batch = writer.beginLast();
  batch.closedSpans.forEach((span) => receipt?.noteClosed(span));
  // What the executor tells is of its own dispatch only.
  const usage = run.attempt === 1 && end.usage !== undefined ? end.usage : writer.work.usage;
  const ending = await throughOutage(deps.clock, () => decide(deps, run, { ...end, usage }, receipt?.lines()));
  const nowMs = deps.clock.nowMs();
  const at = { span: run.span.span, time: eventTime(nowMs) };
  const place = (data: EventData): UnplacedEvent => ({ ...at, data });

  const results = writer.work.results();
  const rows =
    results.length === 0
      ? []
      : [
          resultsRow(
            deps,
            run,
            results.map(({ result }) => result),
          ),
        ];
  const events: UnplacedEvent[] = [
    ...writer.blockEndings().map(({ span, data }) => ({ ...at, span: span ?? at.span, data })),
    ...writer.work.abandonments().map(place),
    ...results.filter(({ isNew }) => isNew).map(({ result }) => place({ case: 'toolResult', value: result })),
    ...rows.map(({ messageId }) => place({ case: 'message', value: { messageId, role: role.tool, contextSeq: 0n } })),
    ...spanEndings(writer, run, ending).map(({ span, data }) => ({ ...at, span, data })),
    place(terminal(ending)),
  ];
  const last = writer.endLast(batch, events, rows);
  const terminalSeq = last.append.position.lastSeq + last.append.events.length;
  const { append } = last;
  const nextOwnerId = deps.nextOwnerId();
  const beginNext: Finish['beginNext'] = ({ run: queued, input }, session) =>
    beginRun(deps.clock, session, queued, input, nextOwnerId);
  const finish = { append, ending, terminalSeq, nowMs, nextOwnerId, beginNext };
  const next = await throughOutage(deps.clock, () => deps.runs.finish(finish));
  last.show();
  if (next !== undefined && next.run.ownerId === undefined) {
    deps.announceReleased(next.run);
    return undefined;
  }
  return next;
}

async function decide(
  { runs, toAgentError }: EndRunDeps,
  run: Run,
  { outcome, usage }: ExecutorEnd,
  receipt: readonly StoppedSpan[] | undefined,
): Promise<RunEnding> {
  if (outcome.kind === 'completed') {
    const completed = { status: 'COMPLETED', finishReason: outcome.finishReason, usage } as const;
    if (run.status === 'FINISHING' || (await runs.beginFinishing(run.id, run.epoch, completed))) {
      return completed;
    }
  }
  const stored = await runs.find(run.sessionId, run.id);
  if (outcome.kind === 'completed' && stored?.status === 'FINISHING') {
    // It was decided before, by an attempt whose answer was lost.
    return { status: 'COMPLETED', finishReason: outcome.finishReason, usage };
  }
  // Only the durable flag makes a run cancelled, not that somebody stopped working on it.
  if (stored?.cancelRequestedAtMs !== undefined) {
    return { status: 'CANCELLED', finishReason: finishReason.cancelled, usage, ...(receipt && { receipt }) };
  }
  const error = outcome.kind === 'failed' ? outcome.error : toAgentError(runtimeUnavailable('ended without a reason'));
  return { status: 'FAILED', error, usage };
}

function resultsRow({ codec, ids }: EndRunDeps, run: Run, results: readonly ToolResult[]): ContextRow {
  const messageId = ids.uuid();
  const payload = codec.encode({ role: 'tool', id: messageId, runId: run.id, results });
  return { messageId, runId: run.id, role: role.tool, tokens: Math.ceil(payload.length / 4), payload };
}

function spanEndings(writer: RunWriter, run: Run, ending: RunEnding) {
  const rootStatus = { COMPLETED: spanStatus.ok, CANCELLED: spanStatus.cancelled, FAILED: spanStatus.error }[
    ending.status
  ];
  const innerStatus = ending.status === 'CANCELLED' ? spanStatus.cancelled : spanStatus.abandoned;
  return writer.work.openSpans().map(({ span }) => {
    const isRoot = span.id === run.span.span.id;
    const errorType = isRoot && ending.status === 'FAILED' ? String(ending.error.reason) : '';
    const value = { status: isRoot ? rootStatus : innerStatus, errorType, attributes: {} };
    return { span, data: { case: 'spanEnd', value } satisfies EventData };
  });
}

function terminal(ending: RunEnding): EventData {
  switch (ending.status) {
    case 'FAILED':
      return { case: 'runError', value: { error: ending.error, usage: ending.usage } };
    case 'COMPLETED':
    case 'CANCELLED': {
      const outcome = ending.status === 'COMPLETED' ? runOutcome.completed : runOutcome.cancelled;
      return { case: 'runEnd', value: { outcome, finishReason: ending.finishReason, usage: ending.usage } };
    }
  }
}
