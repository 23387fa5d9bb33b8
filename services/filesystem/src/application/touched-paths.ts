import type { VirtualPath } from '../domain/path/virtual-path.ts';
import type { LayerNode } from '../domain/union/layer-node.ts';
import type { Mount, MountSource } from '../domain/view/mount.ts';
import type { SessionView } from '../domain/view/session-view.ts';
import { type SeenNode, seenNodeOf } from '../domain/watching/path-difference.ts';
import type { TouchedPath } from './ports/tree-history.ts';

/** A path of a view that a change has touched, at least on one of the disks behind it. */
export interface Touched {
  readonly path: VirtualPath;
  /** What lies below it, in lower sources of a union or below the layer, may have come to be seen, or be hidden now. */
  readonly isDeep: boolean;
}

/** The same with what the view shows there. */
export interface Told extends Touched {
  readonly before: SeenNode | undefined;
  readonly after: SeenNode | undefined;
}

/** Whether a node hides what lower sources have in the directory of that path. */
export function hidesLower(node: LayerNode | undefined): boolean {
  return node !== undefined && (node.kind !== 'directory' || node.isOpaque === true);
}

/** Of what was touched on a disk, that which a mount of it alone shows, with what it shows. */
export function toldAlone(view: SessionView, mount: Mount, rows: readonly TouchedPath[]): Told[] {
  const [{ remote }] = mount.sources;
  return rows.flatMap(({ path: inner, before, after }) => {
    const path = pathBelow(mount.path, remote, inner);
    // What is mounted, and the directories above that, stay whatever the disk has there.
    if (path === undefined || view.mountOf(path) !== mount || view.isFixed(path)) {
      return [];
    }
    return { path, isDeep: false, before: shown(before), after: shown(after) };
  });
}

/** Of what was touched on a disk of a union or below a layer, that which may be seen at a mount. */
export function touchedAmong(
  view: SessionView,
  mount: Mount,
  { remote }: MountSource,
  rows: readonly TouchedPath[],
): Touched[] {
  return rows.flatMap(({ path: inner, before, after }) => {
    const isAbove = remote.text === inner || remote.text.startsWith(`${inner}/`);
    const path = isAbove ? mount.path : pathBelow(mount.path, remote, inner);
    if (path === undefined || view.mountOf(path) !== mount) {
      return [];
    }
    return { path, isDeep: hidesLower(before) !== hidesLower(after) };
  });
}

/** Where the path of a disk is seen; undefined for what lies outside of the directory that is mounted, and for itself. */
export function pathBelow(mount: VirtualPath, remote: VirtualPath, inner: string): VirtualPath | undefined {
  const prefix = remote.isRoot ? '/' : `${remote.text}/`;
  if (!inner.startsWith(prefix)) {
    return undefined;
  }
  const names = inner.slice(prefix.length).split('/');
  return names.reduce<VirtualPath | undefined>((path, name) => path?.entry(name), mount);
}

function shown(node: LayerNode | undefined): SeenNode | undefined {
  return node?.kind === 'whiteout' ? undefined : seenNodeOf(node);
}
