import { maxSegmentBytes, VirtualPath } from '../path/virtual-path.ts';
import type { Mount, MountSource } from './mount.ts';

/** A mount of the configuration, before it is known for whom: a `remote` may hold `{uid}` and `{session_id}`. */
export type MountTemplate = Mount<string>;

/** What fills the placeholders of a remote. */
export interface RemoteValues {
  readonly uid: string;
  readonly sessionId: string;
  /** Hex digest of a text, at most 64 characters; stands in for a value that is too long for a segment. */
  readonly digest: (text: string) => string;
}

/** Characters that a value fills at most: leaves room in a segment for literal text around the placeholder. */
export const maxValueLength = maxSegmentBytes - 100;

const placeholder = /\{([^{}]*)\}/g;

/** The placeholders of a remote that mean nothing. */
export function unknownPlaceholders(remote: string): string[] {
  return [...remote.matchAll(placeholder)].flatMap(([text, name]) =>
    name === 'uid' || name === 'session_id' ? [] : [text],
  );
}

/** The mount for one user and session. Values are encoded: none of them can add a segment or meet another's. */
export function mountFor({ sources, ...mount }: MountTemplate, values: RemoteValues): Mount {
  const fill = ({ remote, ...source }: MountSource<string>): MountSource => {
    const filled = remote.replaceAll(placeholder, (_, name: string) =>
      encodeValue(name === 'uid' ? values.uid : values.sessionId, values.digest),
    );
    return { ...source, remote: VirtualPath.parse(filled) };
  };
  const [first, ...others] = sources;
  return { ...mount, sources: [fill(first), ...others.map(fill)] };
}

/**
 * The directory of the source's disk that is private to a session: from the segment of `remote` on that `{session_id}` was
 * part of. Undefined for one that other sessions see, too.
 */
export function privateFolder({ remote }: MountSource, sessionId: string): VirtualPath | undefined {
  // An id is never too long for a segment.
  const id = encodeValue(sessionId, () => '');
  const isPrivate = (path: VirtualPath) => path.segments.some((segment) => segment.includes(id));
  if (!isPrivate(remote)) {
    return undefined;
  }
  let folder = remote;
  while (isPrivate(folder.parent)) {
    folder = folder.parent;
  }
  return folder;
}

/**
 * Keeps lower-case letters, digits, `-` and `_`, and writes every other byte as `%xx`. Upper case is encoded too, because
 * the file system of a disk may not tell it apart.
 */
function encodeValue(value: string, digest: RemoteValues['digest']): string {
  const bytes = new TextEncoder().encode(value);
  const encoded = Array.from(bytes, (byte) => {
    const character = String.fromCharCode(byte);
    return /[a-z0-9_-]/.test(character) ? character : `%${byte.toString(16).padStart(2, '0')}`;
  }).join('');
  // `%-` is no code of a byte, so that a digest can not be the encoding of another value.
  return encoded.length > maxValueLength ? `%-${digest(value)}` : encoded;
}
