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
  readonly pins?: string | null | undefined;
}

const storedSource = z.object({
  disk: z.string(),
  remote: z.string().transform((text) => VirtualPath.parse(text)),
  priority: z.number().default(0),
  isOptional: z.boolean().default(false),
});

const storedMount = z.object({
  path: z.string().transform((text) => VirtualPath.parse(text)),
  sources: z.tuple([storedSource], storedSource),
  isReadOnly: z.boolean(),
  isOutput: z.boolean(),
  writer: z.string().optional(),
});

/** Views that were opened before there were unions have one disk a mount. */
const storedMounts = z.array(
  z.preprocess((mount) => {
    const isOld = typeof mount === 'object' && mount !== null && 'disk' in mount;
    return isOld ? { ...mount, sources: [mount] } : mount;
  }, storedMount),
);

const storedPins = z.array(z.tuple([z.string(), z.number()]));

/** Pairs of a disk and a pin, as a row has them. */
export function pinsOf(pins: string): readonly [disk: string, pin: number][] {
  return storedPins.parse(JSON.parse(pins));
}

export function viewToRow({ id, uid, sessionId, mounts, createTimeMs, pins }: SessionView): ViewRow {
  const stored = mounts.map(({ path, sources, ...mount }) => ({
    ...mount,
    path: path.text,
    sources: sources.map(({ remote, ...source }) => ({ ...source, remote: remote.text })),
  }));
  return {
    id,
    uid,
    sessionId,
    mounts: JSON.stringify(stored),
    createTimeMs,
    pins: pins === undefined ? null : JSON.stringify([...pins]),
  };
}

export function viewFromRow({ id, uid, sessionId, mounts, createTimeMs, pins }: ViewRow): SessionView {
  return new SessionView({
    id: brandId<RunId>(id),
    uid: brandId<Uid>(uid),
    sessionId: brandId<SessionId>(sessionId),
    mounts: storedMounts.parse(JSON.parse(mounts)),
    createTimeMs,
    pins: typeof pins !== 'string' ? undefined : new Map(pinsOf(pins)),
  });
}
