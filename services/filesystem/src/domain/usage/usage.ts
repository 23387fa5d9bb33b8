/** What a user may have on a disk, use and reservations together. */
export interface Quota {
  /** Bytes of all files; without it as many as fit. */
  readonly maxBytes?: number | undefined;
  /** Files; without it any number. */
  readonly maxFiles?: number | undefined;
}

/** What a user has on a disk. */
export interface Usage {
  /** Bytes of files that are published. */
  readonly bytes: number;
  /** Files that are published. */
  readonly files: number;
  /** Bytes in layers of runs that go on. */
  readonly reservedBytes: number;
  /** Files in layers of runs that go on. */
  readonly reservedFiles: number;
}

export const noUsage: Usage = { bytes: 0, files: 0, reservedBytes: 0, reservedFiles: 0 };

/** A limit of a quota that something would go beyond. */
export interface QuotaLimit {
  readonly name: 'disk_bytes' | 'disk_files';
  readonly max: number;
}

/**
 * The limit that a change goes beyond: undefined when it may be made. Only what grows is refused, so that who has too much
 * can always delete.
 */
export function limitBeyond(quota: Quota, now: Usage, change: Usage): QuotaLimit | undefined {
  const { maxBytes = Infinity, maxFiles = Infinity } = quota;
  const [bytes, files] = [bytesAdded(change), filesAdded(change)];
  if (bytes > 0 && now.bytes + now.reservedBytes + bytes > maxBytes) {
    return { name: 'disk_bytes', max: maxBytes };
  }
  return files > 0 && now.files + now.reservedFiles + files > maxFiles
    ? { name: 'disk_files', max: maxFiles }
    : undefined;
}

/** What a change adds to the bytes that a quota is about. */
export function bytesAdded({ bytes, reservedBytes }: Usage): number {
  return bytes + reservedBytes;
}

/** What a change adds to the files that a quota is about. */
export function filesAdded({ files, reservedFiles }: Usage): number {
  return files + reservedFiles;
}

export function sumOf(left: Usage, right: Usage): Usage {
  return {
    bytes: left.bytes + right.bytes,
    files: left.files + right.files,
    reservedBytes: left.reservedBytes + right.reservedBytes,
    reservedFiles: left.reservedFiles + right.reservedFiles,
  };
}
