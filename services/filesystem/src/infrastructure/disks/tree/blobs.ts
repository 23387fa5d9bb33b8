import { insertRows, isUniqueViolation, type SqlExecutor } from '@spanwise/persistence';

/** Bytes of a chunk: ranged reads load little more than they ask for, and no packet of a database is too small. */
export const chunkBytes = 256 * 1024;

/** Content by its hash, shared by all files that have it, with a count of them. */
export interface BlobContent {
  readonly hash: string;
  readonly data: Uint8Array;
}

/**
 * Makes files use `added` and stop using `released`, each in a row's own lock: whoever releases the last use removes the
 * blob, whoever needs it meanwhile waits and then writes it again. In the order of hashes, so that no two transactions
 * wait for each other. The last statements of a transaction, because many files may share a blob.
 */
export async function changeBlobUses(
  tx: SqlExecutor,
  added: BlobContent | undefined,
  released: readonly string[],
): Promise<void> {
  const changes = new Map<string, number>();
  for (const hash of released) {
    changes.set(hash, (changes.get(hash) ?? 0) - 1);
  }
  if (added !== undefined) {
    changes.set(added.hash, (changes.get(added.hash) ?? 0) + 1);
  }
  for (const [hash, change] of [...changes].toSorted(([left], [right]) => (left < right ? -1 : 1))) {
    if (change > 0 && added !== undefined) {
      await use(tx, added);
    } else if (change < 0) {
      await release(tx, hash, -change);
    }
  }
}

async function use(tx: SqlExecutor, { hash, data }: BlobContent): Promise<void> {
  for (;;) {
    if ((await tx.run('update fs_blobs set uses = uses + 1 where hash = ?', [hash])) === 1) {
      return;
    }
    try {
      await tx.run('insert into fs_blobs (hash, size, uses) values (?, ?, 1)', [hash, data.length]);
    } catch (error) {
      // Another transaction has written it in between, and has committed by now.
      if (isUniqueViolation(error)) {
        continue;
      }
      throw error;
    }
    for (let position = 0; position * chunkBytes < data.length; position += 1) {
      const chunk = data.subarray(position * chunkBytes, (position + 1) * chunkBytes);
      await insertRows(tx, 'fs_blob_chunks', ['hash', 'position', 'data'], [[hash, position, chunk]]);
    }
    return;
  }
}

async function release(tx: SqlExecutor, hash: string, count: number): Promise<void> {
  await tx.run('update fs_blobs set uses = uses - ? where hash = ?', [count, hash]);
  if ((await tx.run('delete from fs_blobs where hash = ? and uses = 0', [hash])) === 1) {
    await tx.run('delete from fs_blob_chunks where hash = ?', [hash]);
  }
}
