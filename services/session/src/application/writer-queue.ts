import type { ContextRow } from '../domain/context/llm-context.ts';
import type { UnplacedEvent } from '../domain/event/agent-event.ts';
import { bytesAtMost } from '../domain/event/event-size.ts';

/** What a run's writer was given, in order. */
export type WriterItem =
  | { readonly kind: 'event'; readonly event: UnplacedEvent }
  | { readonly kind: 'row'; readonly row: ContextRow }
  | { readonly kind: 'spec'; readonly spec: Uint8Array }
  /** The text that is open is to be stored as far as it has come. */
  | { readonly kind: 'chunks' }
  /** Somebody waits until all before it is committed. */
  | { readonly kind: 'committed'; readonly resolve: () => void; readonly reject: (error: unknown) => void };

/** What waits to be stored, and how much memory it takes. */
export class WriterQueue {
  readonly #items: WriterItem[] = [];
  #bytes = 0;

  get length(): number {
    return this.#items.length;
  }

  /** Also of what was taken and is not forgotten yet. */
  get bytes(): number {
    return this.#bytes;
  }

  push(item: WriterItem): void {
    this.#items.push(item);
    this.#bytes += bytesOf(item);
  }

  take(count: number): WriterItem[] {
    return this.#items.splice(0, count);
  }

  /** They are stored, or never will be. */
  forget(items: readonly WriterItem[]): void {
    this.#bytes -= items.reduce((sum, item) => sum + bytesOf(item), 0);
  }

  hasOnlyEvents(): boolean {
    return this.#items.every(({ kind }) => kind === 'event');
  }
}

function bytesOf(item: WriterItem): number {
  switch (item.kind) {
    case 'event':
      return bytesAtMost(item.event);
    case 'row':
      return item.row.payload.length;
    default:
      return 0;
  }
}
