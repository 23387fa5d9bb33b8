import type { Clock } from '@spanwise/kernel';
import type { OutputLog } from '../domain/output/output-log.ts';
import type { VirtualPath } from '../domain/path/virtual-path.ts';
import { Pacer } from './pacer.ts';
import type { ViewTree } from './view-tree.ts';
import { walkFiles } from './walk-files.ts';

export interface AddOutputsDeps {
  readonly outputs: OutputLog;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

/** Paths that are kept in the output log at once. */
const batchSize = 256;

/** Keeps all files below a directory as outputs, also when the caller has gone: what made them has happened. */
export async function addOutputsBelow(
  { outputs, clock }: AddOutputsDeps,
  tree: ViewTree,
  directory: VirtualPath,
): Promise<void> {
  const { signal } = new AbortController();
  const pacer = new Pacer(clock, signal);
  let batch: VirtualPath[] = [];
  for await (const { path } of walkFiles(tree, directory, { maxDepth: Infinity, pacer }, signal)) {
    batch.push(path);
    if (batch.length === batchSize) {
      await outputs.add(tree.view.id, batch);
      batch = [];
    }
  }
  await outputs.add(tree.view.id, batch);
}
