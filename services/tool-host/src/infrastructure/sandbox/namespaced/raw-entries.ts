import type { Dirent, PathLike } from 'node:fs';
import { opendir } from 'node:fs/promises';

/** Entries of a folder with the bytes of their names, which need not be UTF-8. Throws a system error. */
export async function rawEntries(folder: PathLike): Promise<AsyncIterable<Dirent<Buffer>>> {
  // The types do not know that other encoding, which the function has had since it exists.
  const encoding = 'buffer' as BufferEncoding;
  return (await opendir(folder, { encoding, bufferSize: 256 })) as unknown as AsyncIterable<Dirent<Buffer>>;
}
