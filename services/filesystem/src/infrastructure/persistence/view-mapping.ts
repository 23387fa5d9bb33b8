import { brandId, type RunId, type SessionId, type Uid } from '@spanwise/kernel';
import { z } from 'zod';
import { VirtualPath } from '../../domain/path/virtual-path.ts';
import { SessionView } from '../../domain/view/session-view.ts';

/** A view as a row of `fs_views`. */
export interface ViewRow {
  readonly id: string;
  readonly uid: string;
  readonly sessionId: string;
  readonly mounts: string;
  readonly createTimeMs: number;
}

const storedMounts = z.array(
  z.object({
    path: z.string(),
    disk: z.string(),
    remote: z.string(),
    isReadOnly: z.boolean(),
    isOutput: z.boolean(),
  }),
);

export function viewToRow({ id, uid, sessionId, mounts, createTimeMs }: SessionView): ViewRow {
  const stored = mounts.map(({ path, remote, ...mount }) => ({ ...mount, path: path.text, remote: remote.text }));
  return { id, uid, sessionId, mounts: JSON.stringify(stored), createTimeMs };
}

export function viewFromRow({ id, uid, sessionId, mounts, createTimeMs }: ViewRow): SessionView {
  return new SessionView({
    id: brandId<RunId>(id),
    uid: brandId<Uid>(uid),
    sessionId: brandId<SessionId>(sessionId),
    mounts: storedMounts.parse(JSON.parse(mounts)).map(({ path, remote, ...mount }) => ({
      ...mount,
      path: VirtualPath.parse(path),
      remote: VirtualPath.parse(remote),
    })),
    createTimeMs,
  });
}
