import type { Files } from '@spanwise/tool-kit/contract';
import { fileError } from '../../domain/files/file-errors.ts';
import { LineWindow, type WindowLimits } from './line-window.ts';

/** What was found in a file. */
export type FileText =
  | { readonly kind: 'binary'; readonly size: number; readonly etag: string }
  | { readonly kind: 'text'; readonly size: number; readonly etag: string; readonly window: LineWindow };

/** How far into a file the reader is. */
type OnProgress = (doneBytes: number, totalBytes: number) => void;

/** Most files come in one piece; of a long one no more is held at a time. */
const chunkBytes = 1024 * 1024;

/**
 * Reads a window of the lines of a file, piece by piece until it is full. A file that is not UTF-8, or that has a NUL, as
 * far as it was read, is binary. Throws ETAG_MISMATCH when the file changes between two pieces.
 */
export async function readLines(
  files: Pick<Files, 'read'>,
  path: string,
  limits: WindowLimits,
  onProgress: OnProgress,
): Promise<FileText> {
  const window = new LineWindow(limits);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let etag: string | undefined;
  for (let offset = 0; ; ) {
    const { data, file } = await files.read(path, { offset, length: chunkBytes });
    etag ??= file.etag;
    if (file.etag !== etag) {
      throw fileError('ETAG_MISMATCH', { path });
    }
    offset += data.length;
    const isLast = data.length < chunkBytes || offset >= file.size;
    const text = decode(decoder, data, isLast);
    if (text === undefined) {
      return { kind: 'binary', size: file.size, etag };
    }
    window.add(text);
    if (isLast) {
      window.end();
    }
    if (isLast || window.isFull) {
      return { kind: 'text', size: file.size, etag, window };
    }
    onProgress(offset, file.size);
  }
}

function decode(decoder: TextDecoder, data: Uint8Array, isLast: boolean): string | undefined {
  if (data.includes(0)) {
    return undefined;
  }
  try {
    return decoder.decode(data, { stream: !isLast });
  } catch {
    return undefined;
  }
}
