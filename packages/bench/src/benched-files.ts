import { createHash, randomUUID } from 'node:crypto';
import { glob, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Client, createClient } from '@connectrpc/connect';
import { FileSystemService } from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import { brandId, type Uid } from '@spanwise/kernel';
import { callOptions, createInternalTransport } from '@spanwise/service-kit';
import { Telemetry } from '@spanwise/telemetry';
import { Operator } from 'opendal';

/** Files to be measured. Paths are relative. Operations that it does not have are undefined. */
export interface BenchedFiles {
  readonly name: string;
  stat(path: string): Promise<unknown>;
  /** How many entries a directory has, each looked at with kind and size. */
  list(directory: string): Promise<number>;
  read(path: string): Promise<number>;
  write(path: string, data: Uint8Array): Promise<unknown>;
  readonly glob: ((pattern: string) => Promise<number>) | undefined;
  readonly grep: ((text: string) => Promise<number>) | undefined;
}

/** The file system of the host, with nothing in between. */
export function plainFiles(root: string): BenchedFiles {
  const at = (path: string) => join(root, path);
  return {
    name: 'plain file system',
    stat: (path) => stat(at(path)),
    async list(directory) {
      const names = await readdir(at(directory));
      let found = 0;
      for (const name of names) {
        found += (await stat(join(at(directory), name))).size >= 0 ? 1 : 0;
      }
      return found;
    },
    read: async (path) => (await readFile(at(path))).length,
    async write(path, data) {
      await mkdir(dirname(at(path)), { recursive: true });
      await writeFile(at(path), data);
    },
    glob: async (pattern) => (await Array.fromAsync(glob(pattern, { cwd: root }))).length,
    async grep(text) {
      let found = 0;
      for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
        if (entry.isFile()) {
          const lines = (await readFile(join(entry.parentPath, entry.name), 'utf8')).split('\n');
          found += lines.filter((line) => line.includes(text)).length;
        }
      }
      return found;
    },
  };
}

/** opendal on the same folder, without the service. */
export function opendalFiles(root: string): BenchedFiles {
  const operator = new Operator('fs', { root });
  return {
    name: 'opendal (fs)',
    stat: (path) => operator.stat(path),
    list: async (directory) =>
      (await operator.list(`${directory}/`)).filter((entry) => !entry.path().endsWith('/')).length,
    read: async (path) => (await operator.read(path)).length,
    write: (path, data) => operator.write(path, Buffer.from(data)),
    glob: undefined,
    grep: undefined,
  };
}

/** Bytes of a message of a stream. */
const chunkBytes = 1024 * 1024;
/** Bytes that one Write takes. */
const maxUnaryBytes = 8 * 1024 * 1024;

/** A view of the service, over gRPC. */
export class ServiceFiles implements BenchedFiles {
  readonly name: string;
  readonly client: Client<typeof FileSystemService>;
  readonly viewId = randomUUID();
  readonly #mount: string;
  readonly #options = callOptions({ identity: { uid: brandId<Uid>('bench'), email: '', token: '' } });

  constructor(name: string, url: string, mount: string) {
    this.name = name;
    this.#mount = mount;
    const telemetry = new Telemetry({ service: 'bench', env: {} });
    this.client = createClient(FileSystemService, createInternalTransport({ baseUrl: url, telemetry }));
  }

  open(sessionId: string, runLayer: boolean): Promise<unknown> {
    return this.client.openView({ viewId: this.viewId, sessionId, runLayer }, this.#options);
  }

  stat(path: string): Promise<unknown> {
    return this.client.stat({ viewId: this.viewId, path: this.#at(path) }, this.#options);
  }

  async list(directory: string): Promise<number> {
    let found = 0;
    for (let pageToken: string | undefined = ''; pageToken !== undefined; ) {
      const request = { viewId: this.viewId, path: this.#at(directory), pageSize: 1000, pageToken };
      const { entries, nextPageToken } = await this.client.list(request, this.#options);
      found += entries.length;
      pageToken = nextPageToken === '' ? undefined : nextPageToken;
    }
    return found;
  }

  async read(path: string): Promise<number> {
    let bytes = 0;
    for await (const { chunk } of this.client.download({ viewId: this.viewId, path: this.#at(path) }, this.#options)) {
      bytes += chunk.length;
    }
    return bytes;
  }

  async write(path: string, data: Uint8Array<ArrayBuffer>): Promise<unknown> {
    const named = { viewId: this.viewId, path: this.#at(path), epoch: 1n };
    if (data.length <= maxUnaryBytes) {
      return this.client.write({ ...named, data }, this.#options);
    }
    async function* parts() {
      yield { part: { case: 'begin' as const, value: { ...named, uploadId: randomUUID() } } };
      for (let offset = 0; offset < data.length; offset += chunkBytes) {
        yield { part: { case: 'chunk' as const, value: data.subarray(offset, offset + chunkBytes) } };
      }
      const sha256 = createHash('sha256').update(data).digest('hex');
      yield { part: { case: 'end' as const, value: { sha256 } } };
    }
    return this.client.upload(parts(), this.#options);
  }

  readonly glob = async (pattern: string): Promise<number> => {
    const request = { viewId: this.viewId, path: this.#at('tree'), pattern, limit: 1000 };
    return (await this.client.glob(request, this.#options)).files.length;
  };

  readonly grep = async (pattern: string): Promise<number> => {
    const request = { viewId: this.viewId, path: this.#at('tree'), pattern, limit: 10_000 };
    let found = 0;
    for await (const { matches } of this.client.grep(request, this.#options)) {
      found += matches.length;
    }
    return found;
  };

  /** Publishes what was changed in the view. */
  async commit(): Promise<void> {
    await this.client.commitRun({ viewId: this.viewId, epoch: 1n }, this.#options);
  }

  #at(path: string): string {
    return `${this.#mount}/${path}`;
  }
}
