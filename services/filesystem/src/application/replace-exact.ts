import { ExactSearch } from '../domain/search/exact-search.ts';
import type { Pacer } from './pacer.ts';

export interface ExactEdit {
  readonly content: Uint8Array;
  /** Not empty. */
  readonly oldBytes: Uint8Array;
  readonly newBytes: Uint8Array;
}

/** Bytes that are searched before others may go on. */
const blockBytes = 64 * 1024;

/** `overlapping` finds `aa` twice in `aaa`, `apart` once: from the left, none within another. */
export type MatchKind = 'overlapping' | 'apart';

/** How often the old bytes are in the content. */
export async function countMatches(edit: ExactEdit, kind: MatchKind, pacer: Pacer): Promise<number> {
  let count = 0;
  for await (const starts of matches(edit, kind, pacer)) {
    count += starts.length;
  }
  return count;
}

/** The content with all matches replaced, of which there are `count`. */
export async function replaceMatches(edit: ExactEdit, count: number, pacer: Pacer): Promise<Uint8Array> {
  const { content, oldBytes, newBytes } = edit;
  const edited = new Uint8Array(content.length + count * (newBytes.length - oldBytes.length));
  let read = 0;
  let written = 0;
  const copy = (bytes: Uint8Array, from: number, to: number) => {
    // With millions of matches, a view for each of a few bytes would take most of the time.
    if (to - from > 64) {
      edited.set(bytes.subarray(from, to), written);
    } else {
      for (let index = from; index < to; index += 1) {
        edited[written + index - from] = bytes[index] ?? 0;
      }
    }
    written += to - from;
  };
  for await (const starts of matches(edit, 'apart', pacer)) {
    for (const start of starts) {
      copy(content, read, start);
      copy(newBytes, 0, newBytes.length);
      read = start + oldBytes.length;
    }
  }
  copy(content, read, content.length);
  return edited;
}

async function* matches({ content, oldBytes }: ExactEdit, kind: MatchKind, pacer: Pacer): AsyncGenerator<number[]> {
  if (oldBytes.length > content.length) {
    return;
  }
  const search = new ExactSearch(oldBytes);
  let free = 0;
  for (let offset = 0; offset < content.length; offset += blockBytes) {
    const starts = search.feed(content.subarray(offset, offset + blockBytes)).filter((start) => {
      const isApart = start >= free;
      free = isApart ? start + oldBytes.length : free;
      return isApart || kind === 'overlapping';
    });
    yield starts;
    await pacer.pause();
  }
}
