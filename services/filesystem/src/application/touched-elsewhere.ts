import type { Mount } from '../domain/view/mount.ts';
import type { SessionView } from '../domain/view/session-view.ts';
import { isSameNode } from '../domain/watching/path-difference.ts';
import type { PendingPath } from '../domain/watching/pending-changes.ts';
import { pathBelow } from './touched-paths.ts';
import type { ViewMoment } from './view-moment.ts';

/**
 * What a view shows of what this process has touched on disks that number no changes. A disk that does not answer is taken at
 * what it has answered when it was touched.
 */
export async function touchedElsewhere(
  touched: ReadonlyMap<string, readonly PendingPath[]>,
  view: SessionView,
  now: ViewMoment,
  signal: AbortSignal,
): Promise<PendingPath[]> {
  const found: PendingPath[] = [];
  for (const mount of touched.size === 0 ? [] : view.mounts) {
    for (const { disk, remote } of mount.sources) {
      for (const { path: inner, ...pending } of touched.get(disk) ?? []) {
        const path = pathBelow(mount.path, remote, inner.text);
        if (path !== undefined && view.mountOf(path) === mount && !view.isFixed(path)) {
          found.push(...(await seen({ path, ...pending }, mount, now, signal)));
        }
      }
    }
  }
  return found;
}

async function seen(pending: PendingPath, mount: Mount, now: ViewMoment, signal: AbortSignal): Promise<PendingPath[]> {
  const { path, before } = pending;
  const after = await now.at(path, signal).catch(() => pending.after);
  signal.throwIfAborted();
  const isHidden = mount.sources.length > 1 && after !== undefined && !isSameNode(after, pending.after);
  if (isHidden) {
    return [];
  }
  const below =
    after?.kind === 'directory' && before?.kind !== 'directory'
      ? await now.below(path, signal).catch(() => new Map<string, never>())
      : new Map<string, never>();
  const added = [...below.values()].map((each) => ({
    path: each.path,
    before: undefined,
    after: each.node,
    isCleared: false,
  }));
  return [{ ...pending, after }, ...added];
}
