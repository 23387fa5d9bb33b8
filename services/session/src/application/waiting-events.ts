import type { AgentEvent } from '../domain/event/agent-event.ts';
import { type DeltaCase, deltaOf, utf8Length } from '../domain/event/delta.ts';
import { bytesOf, deltaCaseOf, liveDelta, type Published } from './published.ts';

/** What waits for one watcher at most: events, and their bytes on the wire. */
export const maxWaitingEvents = 256;
export const maxWaitingBytes = 256 * 1024;

/**
 * What was shown and not taken yet by one watcher. When it becomes too much, live deltas of one block that follow each
 * other are made into one; when that does not help, nothing more is kept.
 */
export class WaitingEvents {
  #entries: Published[] = [];
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /**
   * Adds what takes `bytes`. False when it is too much: then nothing waits any more. What comes while nothing waits is
   * taken whatever its size, for it is one object for all watchers.
   */
  add(entries: readonly Published[], bytes: number): boolean {
    const isFirst = this.isEmpty;
    this.#entries.push(...entries);
    this.#bytes += bytes;
    if (isFirst || !this.#isTooMuch) {
      return true;
    }
    this.#entries = mergeDeltas(this.#entries);
    this.#bytes = bytesOf(this.#entries);
    if (this.#isTooMuch) {
      this.clear();
      return false;
    }
    return true;
  }

  take(): readonly Published[] {
    const entries = this.#entries;
    this.clear();
    return entries;
  }

  clear(): void {
    this.#entries = [];
    this.#bytes = 0;
  }

  get #isTooMuch(): boolean {
    return this.#entries.length > maxWaitingEvents || this.#bytes > maxWaitingBytes;
  }
}

/** Live deltas that follow each other: where they begin, where the next one would, and their text. */
interface Merged {
  readonly deltaCase: DeltaCase;
  readonly blockId: string;
  readonly offset: number;
  end: number;
  text: string;
  last: AgentEvent;
}

/** The same entries with neighbouring live deltas of a block, where one goes on from the other, made into one. */
export function mergeDeltas(entries: readonly Published[]): Published[] {
  const merged: Published[] = [];
  let open: Merged | undefined;
  const close = () => {
    if (open !== undefined) {
      merged.push({ event: liveDelta(open.last, open.deltaCase, open) });
      open = undefined;
    }
  };
  for (const entry of entries) {
    const next = liveDeltaOf(entry);
    if (open !== undefined && next !== undefined && goesOn(open, next)) {
      open.text += next.text;
      open.end = next.end;
      open.last = next.last;
    } else {
      close();
      open = next;
      if (next === undefined) {
        merged.push(entry);
      }
    }
  }
  close();
  return merged;
}

function liveDeltaOf({ event }: Published): Merged | undefined {
  const deltaCase = event.seq === 0n ? deltaCaseOf(event) : undefined;
  const delta = deltaCase === undefined ? undefined : deltaOf(event.data);
  return deltaCase === undefined || delta === undefined
    ? undefined
    : { ...delta, deltaCase, end: delta.offset + utf8Length(delta.text), last: event };
}

function goesOn(open: Merged, next: Merged): boolean {
  return (
    open.deltaCase === next.deltaCase &&
    open.blockId === next.blockId &&
    open.end === next.offset &&
    open.last.epoch === next.last.epoch
  );
}
