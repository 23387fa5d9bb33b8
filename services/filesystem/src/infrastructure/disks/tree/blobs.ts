import { firstRow, insertRows, isUniqueViolation, type SqlExecutor } from '@spanwise/persistence';
import type { ReceivedUpload } from '../../../domain/upload/received-upload.ts';
import { type NewContent, type StagedBlobs, sizeOf } from '../../blobs/staged-blobs.ts';
import { claimUpload, copyToBlob, deleteUploadChunks } from '../../uploads/upload-rows.ts';
import { Overtaken } from './overtaken.ts';

/** Bytes of a chunk: ranged reads load little more than they ask for, and no packet of a database is too small. */
export const chunkBytes = 256 * 1024;

/** Content by its hash, shared by all that have it, with a count of them. */
export interface BlobContent {
  readonly hash: string;
  /** Undefined when it is in an upload, or stored already, and something that stays for now uses it. */
  readonly data: Uint8Array | undefined;
  /** The upload that has it, and is then over. */
  readonly upload?: ReceivedUpload | undefined;
}

/**
 * Lets something use `added` and stop using `released`, each in a row's own lock: whoever releases the last use removes the
 * blob, whoever needs it meanwhile waits and then writes it again. In the order of hashes, so that no two transactions
 * wait for each other. The last statements of a transaction, because many files may share a blob. New content that belongs
 * outside of the database must be `staged`: what is not leaves the transaction.
 */
export async function changeBlobUses(
  tx: SqlExecutor,
  added: readonly BlobContent[],
  released: readonly string[],
  staged?: StagedBlobs,
): Promise<void> {
  const changes = new Map<string, number>();
  const contents = new Map<string, NewContent>();
  const uploads = added.flatMap(({ upload }) => upload ?? []);
  for (const upload of uploads) {
    await claimUpload(tx, upload);
  }
  for (const { hash, data, upload } of added) {
    changes.set(hash, (changes.get(hash) ?? 0) + 1);
    const content = data ?? upload;
    if (content !== undefined) {
      contents.set(hash, { hash, content });
    }
  }
  for (const hash of released) {
    changes.set(hash, (changes.get(hash) ?? 0) - 1);
  }
  const missing: NewContent[] = [];
  for (const [hash, change] of [...changes].toSorted(([left], [right]) => (left < right ? -1 : 1))) {
    if (change > 0) {
      missing.push(...(await use(tx, hash, { content: contents.get(hash), count: change, staged })));
    } else if (change < 0) {
      await release(tx, hash, -change);
    }
  }
  if (missing.length > 0) {
    staged?.leaveFor(missing);
  }
  for (const upload of uploads) {
    await deleteUploadChunks(tx, upload);
  }
}

interface Use {
  readonly content: NewContent | undefined;
  /** How many uses come. */
  readonly count: number;
  readonly staged: StagedBlobs | undefined;
}

/** Answers the content, if it has to be staged first. */
async function use(tx: SqlExecutor, hash: string, { content, count, staged }: Use): Promise<readonly NewContent[]> {
  for (;;) {
    if ((await tx.run('update fs_blobs set uses = uses + ? where hash = ?', [count, hash])) === 1) {
      return [];
    }
    if (content === undefined) {
      throw new Overtaken('of blobs');
    }
    if (staged?.isMissing(content) === true) {
      return [content];
    }
    const location = staged?.locationOf(hash);
    try {
      const row = [hash, sizeOf(content.content), count, location ?? null];
      await insertRows(tx, 'fs_blobs', ['hash', 'size', 'uses', 'location'], [row]);
    } catch (error) {
      // Another transaction has written it in between, and has committed by now.
      if (isUniqueViolation(error)) {
        continue;
      }
      throw error;
    }
    await (location === undefined ? insertContent(tx, content) : staged?.claim(tx, content, location));
    return [];
  }
}

function insertContent(tx: SqlExecutor, { hash, content }: NewContent): Promise<void> {
  return content instanceof Uint8Array ? insertChunks(tx, hash, content) : copyToBlob(tx, content, hash);
}

async function insertChunks(tx: SqlExecutor, hash: string, data: Uint8Array): Promise<void> {
  for (let position = 0; position * chunkBytes < data.length; position += 1) {
    const chunk = data.subarray(position * chunkBytes, (position + 1) * chunkBytes);
    await insertRows(tx, 'fs_blob_chunks', ['hash', 'position', 'data'], [[hash, position, chunk]]);
  }
}

async function release(tx: SqlExecutor, hash: string, count: number): Promise<void> {
  await tx.run('update fs_blobs set uses = uses - ? where hash = ?', [count, hash]);
  const which = 'select location from fs_blobs where hash = ? and uses = 0';
  const unused = await firstRow<{ location: string | null }>(tx, which, [hash]);
  if (unused === undefined) {
    return;
  }
  await tx.run('delete from fs_blobs where hash = ?', [hash]);
  if (unused.location === null) {
    await tx.run('delete from fs_blob_chunks where hash = ?', [hash]);
  } else {
    // Those who have read the row may still read the content.
    await insertRows(tx, 'fs_blob_trash', ['location'], [[unused.location]]);
  }
}
