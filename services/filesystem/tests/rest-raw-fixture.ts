import { afterEach } from 'vitest';
import { VirtualPath } from '../src/domain/path/virtual-path.ts';
import type { OpenDisk } from '../src/infrastructure/disks/disk-kind.ts';
import { ada, never, utf8 } from './files-fixture.ts';
import { openRestDisk } from './rest-fixture.ts';
import { type RawScript, type RawServer, rawAnswer, startRawServer } from './rest-raw-server.ts';

const at = (text: string) => VirtualPath.parse(text);

/** For a test file: opens disks on servers of their own, which end with the test. */
export function rawDisks() {
  const opened: AsyncDisposable[] = [];
  afterEach(async () => {
    for (const each of opened.splice(0).toReversed()) {
      await each[Symbol.asyncDispose]();
    }
  });
  return async (script: RawScript, settings: Readonly<Record<string, unknown>> = {}) => {
    const server = await startRawServer(script);
    opened.push(server);
    const disk = await openRestDisk(server.baseUrl, { timeout_ms: 5000, ...settings });
    opened.push({ [Symbol.asyncDispose]: async () => disk[Symbol.asyncDispose]?.() });
    return { server, disk, ...shortcuts(disk) };
  };
}

function shortcuts(disk: OpenDisk) {
  return {
    stat: (path = '/x') => disk.stat(ada, at(path), never),
    read: async (offset = 0, length = 100) => {
      const { data, node } = await disk.read(ada, at('/x'), { offset, length }, never);
      return { text: new TextDecoder().decode(data), size: node.size };
    },
    list: (after = '', limit = 100) => disk.list(ada, at('/d'), { after, limit, withEtags: true }, never),
    put: (guard = {}) => disk.write(ada, at('/x'), utf8('new'), guard, never),
  };
}

/** Answers everything alike. */
export function always(bytes: string): RawScript {
  return (socket) => socket.write(bytes);
}

/** Headers of a listing. */
export const listing = { 'content-type': 'application/vnd.spanwise.directory+json' };

/** Answers everything with a page of a directory. */
export function page(entries: readonly unknown[], next?: string): RawScript {
  return always(rawAnswer(200, listing, JSON.stringify({ entries, next })));
}

/** Whether a server has no connection any more, or soon. */
export async function isLetGo({ connections }: RawServer): Promise<boolean> {
  for (let tries = 0; tries < 100 && connections.now > 0; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return connections.now === 0;
}
