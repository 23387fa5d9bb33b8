import { mkdir } from 'node:fs/promises';
import { VirtualPath } from '../../../domain/path/virtual-path.ts';
import type { Folder, NoFolder } from './folder.ts';
import { codeOf } from './system-error.ts';

export interface WalkRules<Result> {
  /** True: folders that are missing are made. */
  readonly makesMissing: boolean;
  /** The answer, or what is thrown, where the walk can not go on. */
  readonly refused: (why: NoFolder, at: VirtualPath) => Result;
}

/** Walks down to a folder, one component at a time, and lets `work` have it; holds one folder at a time. */
export async function withinFolder<Result>(
  root: Folder,
  path: VirtualPath,
  rules: WalkRules<Result>,
  work: (folder: Folder) => Promise<Result>,
): Promise<Result> {
  let folder = root;
  let at = VirtualPath.root;
  try {
    for (const name of path.segments) {
      at = at.child(name);
      const next = await enter(folder, name, rules.makesMissing);
      if (typeof next === 'string') {
        return rules.refused(next, at);
      }
      const left = folder;
      folder = next;
      await close(left, root);
    }
    return await work(folder);
  } finally {
    await close(folder, root);
  }
}

async function enter(folder: Folder, name: string, makesMissing: boolean): Promise<Folder | NoFolder> {
  const found = await folder.enter(name);
  if (found !== 'missing' || !makesMissing) {
    return found;
  }
  try {
    await mkdir(folder.locationOf(name));
    await folder.sync();
  } catch (error) {
    // Another writer was faster: as good.
    if (codeOf(error) !== 'EEXIST') {
      throw error;
    }
  }
  return folder.enter(name);
}

async function close(folder: Folder, root: Folder): Promise<void> {
  if (folder !== root) {
    await folder[Symbol.asyncDispose]();
  }
}
