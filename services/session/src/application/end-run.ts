import type { ContextRow, LlmContext } from '../domain/context/llm-context.ts';
import {
  type EventData,
  eventTime,
  inThread,
  role,
  runOutcome,
  spanStatus,
  type UnplacedEvent,
} from '../domain/event/agent-event.ts';
import type { CallResult } from '../domain/run/open-work.ts';
import type { Run, RunEnding } from '../domain/run/run.ts';
import { type Finish, type RunRepository, rollbackRequested, type StartedRun } from '../domain/run/run-repository.ts';
import type { AppendBatch } from './append-batch.ts';
import { beginRun } from './begin-run.ts';
import { decide } from './decide-end.ts';
import type { ExecutorEnd } from './ports/agent-runtime.ts';
import type { MessageCodec } from './ports/message-codec.ts';
import { type DecidedEnd, type EndingRun, type PublishedEnd, type PublishRunDeps, publishRun } from './publish-run.ts';
import type { RunWriter } from './run-writer.ts';
import type { StopReceipt } from './stop-receipt.ts';
import { throughOutage } from './through-outage.ts';

export interface EndRunDeps extends PublishRunDeps {
  readonly runs: RunRepository;
  readonly context: LlmContext;
  readonly codec: MessageCodec;
  /** Who drives the run that begins with the end of this one; undefined = any replica. */
  readonly nextOwnerId: () => string | undefined;
  /** Tells the other replicas that a run is without an owner. */
  readonly announceReleased: (run: Run) => void;
}

/** A run that comes to its end here, and its appender. */
export interface LastRun extends EndingRun {
  readonly writer: RunWriter;
}

/** Thrown when a rollback was requested after it was decided how the run ends: whoever takes it next decides anew. */
export class DecidedTooEarly extends Error {}

/**
 * Ends a run: decides between completed, cancelled and failed (a cancel that was accepted before the agent was done wins),
 * publishes its files or takes them back, closes what is open, answers every tool call, and commits all of it with the
 * terminal event and the begin of the next run of the queue, which it answers. A run that is FINISHING ends as it was
 * decided, whatever `end` says. Throws FENCED when the run is somebody else's by now, DATABASE_UNAVAILABLE when nothing can
 * be stored, LeftUnpublished and DecidedTooEarly when another driver has to end it.
 */
export async function endRun(
  deps: EndRunDeps,
  last: LastRun,
  end: ExecutorEnd,
  receipt?: StopReceipt,
): Promise<StartedRun | undefined> {
  const { run, writer } = last;
  writer.stop();
  // What was said is stored before files are published: that may take its time.
  await (writer.work.mayHaveWritten ? writer.committed() : writer.settled());
  const batch = writer.beginLast();
  batch.closedSpans.forEach((span) => receipt?.noteClosed(span));
  // What the executor tells is of its own dispatch only.
  const usage = run.attempt === 1 && end.usage !== undefined ? end.usage : writer.work.usage;
  const mayHaveWritten = writer.work.mayHaveWritten;
  const decided = await throughOutage(deps.clock, () =>
    decide(deps, run, { end: { ...end, usage }, receipt: receipt?.lines(), mayHaveWritten }),
  );
  const published = mayHaveWritten ? await publishRun(deps, last, decided) : unchanged(decided);
  const finish = await placed(deps, last, batch, { ...published, rollsBack: decided.rollsBack });
  const next = await throughOutage(deps.clock, () => deps.runs.finish(finish));
  if (next === rollbackRequested) {
    throw new DecidedTooEarly('a rollback was requested meanwhile');
  }
  finish.show();
  if (next !== undefined && next.run.ownerId === undefined) {
    deps.announceReleased(next.run);
    return undefined;
  }
  return next;
}

/** A run that has written nothing has nothing to publish. */
function unchanged({ ending }: DecidedEnd): PublishedEnd {
  return { ending, spans: [], outputs: [], files: { fileChanges: 0, filesPublished: false } };
}

/** The last append of a run, with what is open closed, and what is told of its end. */
async function placed(
  deps: EndRunDeps,
  { run, writer }: LastRun,
  batch: AppendBatch,
  { ending, rollsBack, ...published }: PublishedEnd & Pick<DecidedEnd, 'rollsBack'>,
): Promise<Finish & { readonly show: () => void }> {
  const nowMs = deps.clock.nowMs();
  const at = { span: run.span.span, time: eventTime(nowMs) };
  const place = (data: EventData, threadId = ''): UnplacedEvent => ({ ...at, ...inThread(threadId), data });
  const results = writer.work.results();
  // One message for each dialogue that has open calls.
  const rows = [...Map.groupBy(results, ({ threadId = '' }) => threadId)].map(([threadId, told]) =>
    resultsRow(deps, run, threadId, told),
  );
  const outputs = rollsBack ? [await rolledBack(deps, run, batch, rows.length, published.files)] : published.outputs;
  const events: UnplacedEvent[] = [
    ...writer.blockEndings().map(({ span, ...said }) => ({ ...at, span: span ?? at.span, ...said })),
    ...writer.work.abandonments().map(({ data, threadId }) => place(data, threadId)),
    ...results
      .filter(({ isNew }) => isNew)
      .map(({ result, threadId }) => place({ case: 'toolResult', value: result }, threadId)),
    ...rows.map(({ messageId, threadId }) =>
      place({ case: 'message', value: { messageId, role: role.tool, contextSeq: 0n } }, threadId),
    ),
    ...published.spans,
    ...spanEndings(writer, run, ending).map((end) => ({ ...at, ...end })),
    ...outputs.map((data) => place(data)),
    place(terminal(ending)),
  ];
  const { append, show } = writer.endLast(batch, events, rows);
  const terminalSeq = append.position.lastSeq + append.events.length;
  const nextOwnerId = deps.nextOwnerId();
  const beginNext: Finish['beginNext'] = ({ run: queued, input }, session) =>
    beginRun(deps.clock, session, queued, input, nextOwnerId);
  return { append, ending, terminalSeq, nowMs, rollsBack, nextOwnerId, beginNext, show };
}

/** RUN_ROLLED_BACK, with the messages that this append adds. */
async function rolledBack(
  { context, clock }: EndRunDeps,
  { sessionId, id }: Run,
  { append, rows }: AppendBatch,
  moreRows: number,
  files: PublishedEnd['files'],
): Promise<EventData> {
  const stored = await throughOutage(clock, () => context.rangeOf(sessionId, id));
  const added = rows.length + moreRows;
  const { lastContextSeq } = append.position;
  const firstSeq = stored?.firstSeq ?? (added === 0 ? 0 : lastContextSeq + 1);
  const lastSeq = added === 0 ? (stored?.lastSeq ?? 0) : lastContextSeq + added;
  const range = { firstContextSeq: BigInt(firstSeq), lastContextSeq: BigInt(lastSeq) };
  return { case: 'runRolledBack', value: { ...range, ...files } };
}

function resultsRow(
  { codec, ids }: EndRunDeps,
  run: Run,
  threadId: string,
  told: readonly Pick<CallResult, 'result'>[],
): ContextRow {
  const messageId = ids.uuid();
  const results = told.map(({ result }) => result);
  const payload = codec.encode({ role: 'tool', id: messageId, runId: run.id, results });
  return {
    messageId,
    runId: run.id,
    role: role.tool,
    tokens: Math.ceil(payload.length / 4),
    payload,
    ...inThread(threadId),
  };
}

function spanEndings(writer: RunWriter, run: Run, ending: RunEnding) {
  const rootStatus = { COMPLETED: spanStatus.ok, CANCELLED: spanStatus.cancelled, FAILED: spanStatus.error }[
    ending.status
  ];
  const innerStatus = ending.status === 'CANCELLED' ? spanStatus.cancelled : spanStatus.abandoned;
  return writer.work.openSpans().map(({ span, threadId }) => {
    const isRoot = span.id === run.span.span.id;
    const errorType = isRoot && ending.status === 'FAILED' ? String(ending.error.reason) : '';
    const value = { status: isRoot ? rootStatus : innerStatus, errorType, attributes: {} };
    return { span, ...inThread(threadId), data: { case: 'spanEnd', value } satisfies EventData };
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
