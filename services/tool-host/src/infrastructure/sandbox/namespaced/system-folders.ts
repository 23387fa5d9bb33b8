import { lstat, readlink } from 'node:fs/promises';
import type { SystemFolders } from './bwrap-arguments.ts';

/** Programs and libraries: links where `/usr` has everything, folders elsewhere. */
const programFolders = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];

/** What programs need of `/etc`; nothing of it tells anything about this machine's users or networks. */
const systemFiles = [
  '/etc/ld.so.cache',
  '/etc/ld.so.conf',
  '/etc/ld.so.conf.d',
  '/etc/ld-musl-x86_64.path',
  '/etc/alternatives',
  '/etc/localtime',
  '/etc/mime.types',
  '/etc/magic',
];

/** Finds out which system folders this machine has. */
export async function findSystemFolders(): Promise<SystemFolders> {
  const bound: string[] = [];
  const links: { path: string; target: string }[] = [];
  for (const path of [...programFolders, ...systemFiles]) {
    const stats = await lstat(path).catch(() => undefined);
    if (stats?.isSymbolicLink() === true && programFolders.includes(path)) {
      links.push({ path, target: await readlink(path) });
    } else if (stats !== undefined) {
      bound.push(path);
    }
  }
  return { bound, links };
}

/** First segments of paths that the namespace itself has: no mount of a view can be there. */
export const takenNames: ReadonlySet<string> = new Set(
  [...programFolders, '/etc', '/proc', '/dev', '/tmp', '/run', '/sys'].map((path) => path.slice(1)),
);
