import type { Files } from '@spanwise/tool-kit/contract';
import { fileError } from '../../domain/files/file-errors.ts';

/** A file with all that is in it. */
export interface WholeFile {
  readonly bytes: Uint8Array;
  readonly etag: string;
}

const chunkBytes = 4 * 1024 * 1024;

/**
 * Reads a file; undefined when it is longer than `maxBytes`. Throws ETAG_MISMATCH when it changes between two pieces, and
 * what reading fails with.
 */
export async function readWhole(
  files: Pick<Files, 'read'>,
  path: string,
  maxBytes: number,
): Promise<WholeFile | undefined> {
  const pieces: Uint8Array[] = [];
  let etag: string | undefined;
  for (let offset = 0; ; ) {
    const { data, file } = await files.read(path, { offset, length: chunkBytes });
    etag ??= file.etag;
    if (file.etag !== etag) {
      throw fileError('ETAG_MISMATCH', { path });
    }
    if (file.size > maxBytes) {
      return undefined;
    }
    pieces.push(data);
    offset += data.length;
    if (data.length === 0 || offset >= file.size) {
      return { bytes: Buffer.concat(pieces), etag };
    }
  }
}

/** The text of a file, with its byte order mark; undefined when it is not UTF-8 or has a NUL. */
export function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) {
    return undefined;
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
