import { FileError } from '../domain/disk/file-errors.ts';
import { maxFileBytes } from '../domain/disk/file-store.ts';
import type { VirtualPath } from '../domain/path/virtual-path.ts';
import type { MountedFiles } from './mounted-files.ts';
import type { Pacer } from './pacer.ts';

/** Bytes that are read at once: what a disk does with them in one go must not hold up others. */
const pieceBytes = 1024 * 1024;
/** Bytes in which a NUL makes a file binary. */
const binaryCheckBytes = 8192;
/** How often a file is read again because it changed between two pieces. */
const maxAttempts = 5;

/** The content of a text file; undefined for what is binary, over the size limit, gone, or never at rest. */
export async function readText(
  files: MountedFiles,
  path: VirtualPath,
  pacer: Pacer,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  try {
    for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
      const text = await readOnce(files, path, pacer, signal);
      if (text !== 'changed') {
        return text === 'no text' ? undefined : text;
      }
    }
    return undefined;
  } catch (error) {
    if (error instanceof FileError) {
      return undefined;
    }
    throw error;
  }
}

async function readOnce(
  files: MountedFiles,
  path: VirtualPath,
  pacer: Pacer,
  signal: AbortSignal,
): Promise<Uint8Array | 'no text' | 'changed'> {
  const { data, node } = await files.read(path, { offset: 0, length: pieceBytes }, signal);
  if (node.size > maxFileBytes || data.subarray(0, binaryCheckBytes).includes(0)) {
    return 'no text';
  }
  if (data.length === node.size) {
    return data;
  }
  const text = new Uint8Array(node.size);
  text.set(data);
  for (let offset = data.length; offset < node.size; offset += pieceBytes) {
    await pacer.pause();
    const piece = await files.read(path, { offset, length: pieceBytes }, signal);
    if (piece.node.etag !== node.etag) {
      return 'changed';
    }
    text.set(piece.data, offset);
  }
  return text;
}
