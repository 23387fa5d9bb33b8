import type { Clock } from '@spanwise/kernel';
import type { ContextRow } from '../domain/context/llm-context.ts';
import type { UnplacedEvent } from '../domain/event/agent-event.ts';
import { isLiveDelta } from '../domain/event/delta.ts';
import type { Append, AppendPosition, EventLog } from '../domain/event/event-log.ts';
import { OpenBlocks } from '../domain/event/open-blocks.ts';
import { type ClosedSpan, OpenWork } from '../domain/run/open-work.ts';
import type { ClaimedRun } from '../domain/run/run-repository.ts';
import { AppendBatch } from './append-batch.ts';
import type { Publisher } from './session-hub.ts';
import { throughOutage } from './through-outage.ts';
import { type WriterItem, WriterQueue } from './writer-queue.ts';

/** Text that was shown is stored at the latest after this, when neither its amount nor its end stores it before. */
const chunkDelayMs = 250;
/**
 * Durable events wait this long for others to be stored with, unless something needs them sooner: a delta that they go
 * before, or a checkpoint. It saves transactions, which matters most on MySQL; nobody sees 20 ms.
 */
const lingerMs = 20;
/** Items of the queue that one append takes at most. */
const maxBatch = 1024;
/** What may wait to be stored, in bytes; beyond, whoever says more is asked to wait. */
const fullBytes = 1024 * 1024;

export interface RunWriterDeps {
  readonly log: EventLog;
  readonly publisher: Publisher;
  readonly clock: Clock;
  /** Called for every span whose SPAN_END is committed. */
  readonly onSpanClosed: (span: ClosedSpan) => void;
  /** Called once when nothing can be stored any more: the run is fenced, or the database is away for too long. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * The one appender of a run: takes what the run says in order, stores durable events in groups of whatever is ready, and
 * shows everything in that same order. A durable event is shown once it is committed; a delta at once, unless a durable
 * event before it is still waiting.
 * Guards: resolvesAppendBeforeNext, oneWriterPerEpoch, publishesAfterCommit.
 */
export class RunWriter {
  /** What the run has begun and not ended. */
  readonly work = new OpenWork();
  readonly #deps: RunWriterDeps;
  readonly #queue = new WriterQueue();
  #blocks = new OpenBlocks();
  #room: PromiseWithResolvers<void> | undefined;
  #position: AppendPosition;
  #isDraining = false;
  /** The append that is on its way, or the last one. */
  #storing: Promise<void> = Promise.resolve();
  #isStopped = false;
  #failure: { readonly error: unknown } | undefined;
  #chunkTimer: NodeJS.Timeout | undefined;
  #lingerTimer: NodeJS.Timeout | undefined;

  constructor(deps: RunWriterDeps, position: AppendPosition) {
    this.#deps = deps;
    this.#position = position;
  }

  /** Takes events, in order. */
  write(events: readonly UnplacedEvent[]): void {
    for (const event of events) {
      this.#queue.push({ kind: 'event', event });
    }
    if (events.some(isLiveDelta)) {
      void this.#drain();
    } else {
      this.#lingerTimer ??= setTimeout(() => void this.#drain(), lingerMs);
    }
  }

  /** Takes note of what an earlier driver of the run has stored, without storing it again. */
  restore(event: UnplacedEvent, nowMs: number): void {
    this.work.note(event);
    if (event.data.case === 'runAttempt') {
      this.work.abandonAttempt(nowMs);
    }
  }

  /** Takes rows for the context and the run's spec, to be stored together with the events that are written next. */
  writeContext(rows: readonly ContextRow[], spec?: Uint8Array): void {
    for (const row of rows) {
      this.#queue.push({ kind: 'row', row });
    }
    if (spec !== undefined) {
      this.#queue.push({ kind: 'spec', spec });
    }
  }

  /** Undefined while more can be taken; otherwise resolves when it can, or when nothing can be stored any more. */
  room(): Promise<void> | undefined {
    if (this.#queue.bytes < fullBytes || this.#failure !== undefined) {
      return undefined;
    }
    this.#room ??= Promise.withResolvers();
    void this.#drain();
    return this.#room.promise;
  }

  /**
   * Goes on in another epoch, after this process has claimed the run again. Comes after `committed`. What was said and
   * belongs to no complete message is void.
   */
  continueAs({ run, lastSeq, lastContextSeq, events, nowMs }: ClaimedRun & { readonly nowMs: number }): void {
    this.#position = { sessionId: run.sessionId, runId: run.id, epoch: run.epoch, lastSeq, lastContextSeq };
    this.#blocks = new OpenBlocks();
    this.#isStopped = false;
    events.forEach((event) => this.work.note(event));
    this.work.abandonAttempt(nowMs).forEach(this.#deps.onSpanClosed);
    this.#deps.publisher.publish(events.map((event) => ({ event })));
  }

  /** Resolves when all that was taken before is committed and shown. Throws FENCED or DATABASE_UNAVAILABLE. */
  committed(): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      this.#queue.push({ kind: 'committed', resolve, reject });
      void this.#drain();
    });
  }

  /**
   * Resolves when no append is on its way, and what is still to be stored fits into the transaction that ends the run. Comes
   * after `stop`. Throws FENCED or DATABASE_UNAVAILABLE.
   */
  async settled(): Promise<void> {
    void this.#drain();
    while (this.#isDraining) {
      await this.#storing;
    }
    if (this.#failure !== undefined) {
      throw this.#failure.error;
    }
  }

  /** Begins the last transaction of a dispatch with what is still to be stored. Comes after `settled`. */
  beginLast(): AppendBatch {
    const batch = new AppendBatch(this.#position, this.#deps.clock);
    this.#queue.take(maxBatch).forEach((item) => this.#take(item, batch));
    return batch;
  }

  /** Adds what the driver itself says, and places it all. */
  endLast(
    batch: AppendBatch,
    events: readonly UnplacedEvent[],
    rows: readonly ContextRow[] = [],
  ): { append: Append; show: () => void } {
    rows.forEach((row) => batch.addRow(row));
    events.forEach((event) => this.#place(event, batch));
    return { append: batch.append, show: () => this.#show(batch, 0) };
  }

  /** The END of every open block. */
  blockEndings(): readonly Pick<UnplacedEvent, 'span' | 'threadId' | 'data'>[] {
    return this.#blocks.endings();
  }

  /**
   * Stores no more text by time: what is pending is stored with the end of its block. Comes before the last `committed` or
   * `settled`, for nothing may be appended between that and the transaction that ends the run.
   */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#chunkTimer);
    this.#chunkTimer = undefined;
  }

  async #drain(): Promise<void> {
    if (this.#isDraining) {
      return;
    }
    this.#isDraining = true;
    clearTimeout(this.#lingerTimer);
    this.#lingerTimer = undefined;
    while (this.#queue.length > 0 && !this.#isLeftForLast()) {
      const items = this.#queue.take(maxBatch);
      this.#storing = this.#store(items).catch((error: unknown) => this.#fail(error));
      await this.#storing;
      this.#queue.forget(items);
      this.#makeRoom();
      for (const item of items) {
        if (item.kind === 'committed') {
          settle(item, this.#failure);
        }
      }
    }
    this.#isDraining = false;
    this.#scheduleChunks();
  }

  /**
   * Whether what is queued can be stored by the transaction that ends the run. Not the dialogue: that is complete before it
   * is decided that the run is.
   */
  #isLeftForLast(): boolean {
    return this.#isStopped && this.#queue.length <= maxBatch && this.#queue.hasOnlyEvents();
  }

  #makeRoom(): void {
    if (this.#queue.bytes < fullBytes || this.#failure !== undefined) {
      this.#room?.resolve();
      this.#room = undefined;
    }
  }

  async #store(items: readonly WriterItem[]): Promise<void> {
    if (this.#failure !== undefined) {
      return;
    }
    const batch = new AppendBatch(this.#position, this.#deps.clock);
    for (const item of items) {
      this.#take(item, batch);
    }
    const shownAtOnce = batch.shownAtOnce;
    this.#deps.publisher.publish(batch.shown.slice(0, shownAtOnce));
    if (batch.durable.length > 0 || batch.rows.length > 0) {
      // An append that may or may not have been committed is made again: its own mark tells.
      const { append } = batch;
      await throughOutage(this.#deps.clock, () => this.#deps.log.append(append));
      const { lastSeq, lastContextSeq } = this.#position;
      this.#position = {
        ...this.#position,
        lastSeq: lastSeq + batch.durable.length,
        lastContextSeq: lastContextSeq + batch.rows.length,
      };
      this.#show(batch, shownAtOnce);
    }
  }

  #take(item: WriterItem, batch: AppendBatch): void {
    if (item.kind === 'event') {
      this.#place(item.event, batch);
    } else if (item.kind === 'row') {
      batch.addRow(item.row);
    } else if (item.kind === 'spec') {
      batch.spec = item.spec;
    } else if (item.kind === 'chunks') {
      this.#blocks.takeChunks().forEach((chunk) => batch.addChunk(chunk));
    }
  }

  #place(event: UnplacedEvent, batch: AppendBatch): void {
    if (event.data.case === 'interrupt' && this.work.isRaised(event.data.value.interrupt?.id ?? '')) {
      return;
    }
    const chunk = this.#blocks.note(event);
    const isLive = isLiveDelta(event);
    if (isLive) {
      batch.addLive(event);
    }
    if (chunk !== undefined) {
      batch.addChunk(chunk);
    }
    if (!isLive) {
      const closed = this.work.note(event);
      if (closed !== undefined) {
        batch.closedSpans.push(closed);
      }
      batch.addDurable(event);
    }
  }

  #show(batch: AppendBatch, from: number): void {
    this.#deps.publisher.publish(from === 0 ? batch.shown : batch.shown.slice(from));
    batch.closedSpans.forEach(this.#deps.onSpanClosed);
  }

  #fail(error: unknown): void {
    if (this.#failure === undefined) {
      this.#failure = { error };
      this.#deps.onFailure(error);
    }
  }

  #scheduleChunks(): void {
    const isLate = this.#isStopped || this.#failure !== undefined;
    if (!isLate && this.#chunkTimer === undefined && this.#blocks.hasPending()) {
      this.#chunkTimer = setTimeout(() => {
        this.#chunkTimer = undefined;
        this.#queue.push({ kind: 'chunks' });
        void this.#drain();
      }, chunkDelayMs);
    }
  }
}

function settle(
  { resolve, reject }: Extract<WriterItem, { kind: 'committed' }>,
  failure: { readonly error: unknown } | undefined,
): void {
  if (failure === undefined) {
    resolve();
  } else {
    reject(failure.error);
  }
}
