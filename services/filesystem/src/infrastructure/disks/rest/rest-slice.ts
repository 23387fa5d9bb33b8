import { type ByteRange, type FileSlice, maxStreamedBytes } from '../../../domain/disk/file-store.ts';
import { countOf, type RestAnswer } from './rest-answer.ts';
import { fileOf } from './rest-nodes.ts';

/** The Range header for bytes of a file. `length` is at least 1. */
export function rangeHeader({ offset, length }: ByteRange): string {
  return `bytes=${offset}-${lastOf({ offset, length })}`;
}

/**
 * Reads the bytes that were asked for from whatever a server answers to a Range: them (206), the whole file (200), or that
 * there are none (416). Throws DISK_UNAVAILABLE when it is something else.
 */
export async function readSlice(answer: RestAnswer, range: ByteRange, needsEtag: boolean): Promise<FileSlice> {
  const { offset, length } = range;
  switch (answer.status) {
    case 206: {
      const told = toldRange(answer);
      const node = fileOf(answer, told?.size, needsEtag);
      const end = Math.min(lastOf(range), node.size - 1);
      if (told?.first !== offset || told.last !== end) {
        throw answer.unusable('another range');
      }
      const data = await answer.bytes(end - offset + 1);
      return { data: assertLength(answer, data, end - offset + 1), node };
    }
    case 200: {
      const node = fileOf(answer, answer.length, needsEtag);
      const end = Math.min(offset + length, node.size);
      if (offset >= end) {
        return { data: new Uint8Array(), node };
      }
      if (end > maxStreamedBytes) {
        throw answer.unusable('the whole of a file that is too long for that');
      }
      return { data: assertLength(answer, await answer.slice(offset, end), end - offset), node };
    }
    case 416: {
      const size = countOf(/^bytes \*\/(\d+)$/.exec(answer.header('content-range') ?? '')?.[1]);
      const node = fileOf(answer, size, needsEtag);
      if (node.size > offset) {
        throw answer.unusable('no range of a file that has it');
      }
      return { data: new Uint8Array(), node };
    }
    default:
      throw answer.unusable('no bytes');
  }
}

/** Position of the last byte. */
function lastOf({ offset, length }: ByteRange): number {
  return Math.min(offset + length - 1, Number.MAX_SAFE_INTEGER);
}

function toldRange(answer: RestAnswer) {
  const [, first, last, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(answer.header('content-range') ?? '') ?? [];
  return first === undefined ? undefined : { first: countOf(first), last: countOf(last), size: countOf(size) };
}

function assertLength(answer: RestAnswer, data: Uint8Array, length: number): Uint8Array {
  if (data.length !== length) {
    throw answer.unusable('a body that is shorter than it says');
  }
  return data;
}
