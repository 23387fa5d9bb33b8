import type { VirtualPath } from '../domain/path/virtual-path.ts';
import { isSameNode, type PathDifference } from '../domain/watching/path-difference.ts';
import { Below, inTreeOrder } from '../domain/watching/tree-order.ts';
import type { Touched } from './touched-paths.ts';
import type { ViewMoment } from './view-moment.ts';

/** A view at two moments. */
export interface TwoMoments {
  readonly before: ViewMoment;
  readonly after: ViewMoment;
}

/** What a view shows otherwise at paths that were touched, and below those where that is not known by their own. */
export async function viewDifferences(
  touched: readonly Touched[],
  top: VirtualPath,
  moments: TwoMoments,
  signal: AbortSignal,
): Promise<PathDifference[]> {
  const found: PathDifference[] = [];
  const gone = new Below();
  for (const { path, isDeep } of inTreeOrder(touched)) {
    signal.throwIfAborted();
    if (gone.topOf(path) !== undefined) {
      continue;
    }
    const [before, after] = await Promise.all([moments.before.at(path, signal), moments.after.at(path, signal)]);
    if (!isSameNode(before, after) && !path.equals(top)) {
      found.push({ path, before, after });
    }
    if (before?.kind === 'directory' && after?.kind !== 'directory' && !path.equals(top)) {
      gone.name(path);
    } else if (isDeep) {
      found.push(...(await differencesBelow(path, moments, signal)));
    }
  }
  return found;
}

async function differencesBelow(
  directory: VirtualPath,
  moments: TwoMoments,
  signal: AbortSignal,
): Promise<PathDifference[]> {
  const [before, after] = [await moments.before.below(directory, signal), await moments.after.below(directory, signal)];
  const all = new Map([...before, ...after]);
  return [...all].flatMap(([text, { path }]) => {
    const [was, is] = [before.get(text)?.node, after.get(text)?.node];
    return isSameNode(was, is) ? [] : { path, before: was, after: is };
  });
}
