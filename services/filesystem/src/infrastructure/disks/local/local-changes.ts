import { rename, rmdir, unlink } from 'node:fs/promises';
import {
  directoryNotEmpty,
  etagMismatch,
  fileExists,
  fileNotFound,
  notAFile,
  pathUnusable,
} from '../../../domain/disk/file-errors.ts';
import type { DiskNode, RemoveRequest, WriteGuard } from '../../../domain/disk/file-store.ts';
import type { VirtualPath } from '../../../domain/path/virtual-path.ts';
import type { FileEtags } from './file-etags.ts';
import type { Folder } from './folder.ts';
import { type Leaf, openLeaf } from './leaf.ts';
import { nodeAt } from './local-nodes.ts';
import { codeOf } from './system-error.ts';

/** Renames a temporary file to its name if the guard holds. Answers whether nothing was there. */
export async function putInPlace(
  folder: Folder,
  temporary: string,
  path: VirtualPath,
  { ifMatch, createOnly }: WriteGuard,
  etags: FileEtags,
  signal: AbortSignal,
): Promise<boolean> {
  await using old = await openLeaf(folder, path.name);
  if (old.kind !== 'missing' && createOnly === true) {
    throw fileExists(path);
  }
  if (old.kind === 'directory' || old.kind === 'other') {
    throw notAFile(path);
  }
  await assertMatches(old, path, ifMatch, etags, signal);
  await rename(folder.locationOf(temporary), folder.locationOf(path.name));
  return old.kind === 'missing';
}

/** Takes an entry out of its folder in one step. True when it is a directory whose content waits under the name `left`. */
export async function takeOut(
  folder: Folder,
  path: VirtualPath,
  { isRecursive, ifMatch }: RemoveRequest,
  left: string,
  etags: FileEtags,
  signal: AbortSignal,
): Promise<boolean> {
  await using leaf = await openLeaf(folder, path.name);
  if (leaf.kind === 'missing' || leaf.kind === 'other') {
    throw fileNotFound(path);
  }
  await assertMatches(leaf, path, ifMatch, etags, signal);
  if (leaf.kind === 'file') {
    await unlink(folder.locationOf(path.name));
    return false;
  }
  if (isRecursive) {
    await rename(folder.locationOf(path.name), folder.locationOf(left));
    return true;
  }
  await rmdir(folder.locationOf(path.name)).catch((error: unknown) => {
    throw codeOf(error) === 'ENOTEMPTY' ? directoryNotEmpty(path) : error;
  });
  return false;
}

/** What is at `from`, if it can be moved to `to`. */
export async function nodeToMove(
  source: Folder,
  from: VirtualPath,
  to: VirtualPath,
  etags: FileEtags,
  signal: AbortSignal,
): Promise<DiskNode> {
  const node = await nodeAt(source, from.name, etags, signal);
  if (node === undefined) {
    throw fileNotFound(from);
  }
  if (to.isWithin(from) && !to.equals(from)) {
    throw pathUnusable(to, 'it lies within what is moved');
  }
  return node;
}

/** Moves from one folder to another, where nothing may be. */
export async function moveInto(source: Folder, target: Folder, from: VirtualPath, to: VirtualPath): Promise<void> {
  await using leaf = await openLeaf(target, to.isRoot ? '.' : to.name);
  if (leaf.kind !== 'missing') {
    throw fileExists(to);
  }
  await rename(source.locationOf(from.name), target.locationOf(to.name));
  await target.sync();
}

async function assertMatches(
  leaf: Leaf,
  path: VirtualPath,
  ifMatch: string | undefined,
  etags: FileEtags,
  signal: AbortSignal,
): Promise<void> {
  if (ifMatch !== undefined) {
    const etag = leaf.kind === 'file' ? await etags.of(leaf, signal) : '';
    if (etag !== ifMatch) {
      throw etagMismatch(path, etag);
    }
  }
}
