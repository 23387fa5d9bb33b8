import { lstat } from 'node:fs/promises';
import type { DirectoryNode, DiskNode, FileNode } from '../../../domain/disk/file-store.ts';
import type { FileEtags } from './file-etags.ts';
import type { Folder } from './folder.ts';
import { isRegularFile, openLeaf, type RegularFile } from './leaf.ts';
import { codeOf } from './system-error.ts';

export async function fileNodeOf(file: RegularFile, etags: FileEtags, signal: AbortSignal): Promise<FileNode> {
  const { size, mtimeMs } = file.stats;
  return { kind: 'file', size: Number(size), etag: await etags.of(file, signal), modifyTimeMs: Number(mtimeMs) };
}

export function directoryNodeOf({ mtimeMs }: { readonly mtimeMs: bigint }): DirectoryNode {
  return { kind: 'directory', modifyTimeMs: Number(mtimeMs) };
}

/** What a name of a folder is; undefined for what is missing or neither file nor directory. */
export async function nodeAt(
  folder: Folder,
  name: string,
  etags: FileEtags,
  signal: AbortSignal,
): Promise<DiskNode | undefined> {
  await using leaf = await openLeaf(folder, name);
  switch (leaf.kind) {
    case 'file':
      return await fileNodeOf(leaf, etags, signal);
    case 'directory':
      return directoryNodeOf(leaf.stats);
    default:
      return undefined;
  }
}

/** The same without opening it, and so without an etag. */
export async function cheapNodeAt(folder: Folder, name: string): Promise<DiskNode | undefined> {
  try {
    const stats = await lstat(folder.locationOf(name), { bigint: true });
    if (stats.isDirectory()) {
      return directoryNodeOf(stats);
    }
    return isRegularFile(stats)
      ? { kind: 'file', size: Number(stats.size), etag: '', modifyTimeMs: Number(stats.mtimeMs) }
      : undefined;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
}

/** Reads from an open file; shorter than asked for only at its end. */
export async function readBytes({ handle, stats }: RegularFile, offset: number, length: number): Promise<Uint8Array> {
  const wanted = Math.max(0, Math.min(length, Number(stats.size) - offset));
  const data = Buffer.allocUnsafe(wanted);
  let filled = 0;
  while (filled < wanted) {
    const { bytesRead } = await handle.read(data, filled, wanted - filled, offset + filled);
    if (bytesRead === 0) {
      break;
    }
    filled += bytesRead;
  }
  return data.subarray(0, filled);
}
