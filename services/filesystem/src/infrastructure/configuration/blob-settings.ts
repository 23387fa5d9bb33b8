import { resolve } from 'node:path';
import { DomainError } from '@spanwise/kernel';
import { z } from 'zod';
import { FolderStore } from '../blobs/folder-store.ts';
import { ObjectBlobStore } from '../blobs/object-blob-store.ts';
import type { OutsideStore } from '../blobs/outside-store.ts';
import type { DiskHost } from '../disks/disk-kind.ts';
import { openObjectStore } from '../disks/object/object-disk-kind.ts';
import { ObjectKeys } from '../disks/object/object-keys.ts';
import { type ObjectSettings, objectSettings } from '../disks/object/object-settings.ts';
import { byteCount } from '../disks/tree/quota-settings.ts';
import type { YamlPath, YamlSource } from './yaml-source.ts';

/** What opening needs. */
export type BlobHost = Pick<DiskHost, 'folder' | 'ids' | 'secret'>;

/** Where new blobs go. */
export interface ConfiguredBlobs {
  /** Bytes from which on content goes there. */
  readonly threshold: number;
  /** Undefined: all content is in the database. Throws with the line of the setting when it names what is not there. */
  readonly open: ((host: BlobHost) => Promise<OutsideStore>) | undefined;
}

export const blobsInDatabase: ConfiguredBlobs = { threshold: Number.MAX_SAFE_INTEGER, open: undefined };

const threshold = byteCount.default(64 * 1024);
const database = z.strictObject({ store: z.literal('database') });
const folder = z.strictObject({ store: z.literal('folder'), path: z.string().min(1), threshold });
const object = z
  .looseObject({ store: z.literal('object'), threshold, kind: z.never('unknown').optional() })
  .transform((read, context) => {
    const ofDisk = Object.entries(read).filter(([key]) => key !== 'store' && key !== 'threshold');
    const { success, data, error } = objectSettings.safeParse({ ...Object.fromEntries(ofDisk), kind: 'object' });
    for (const issue of error?.issues ?? []) {
      const unknown = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
      context.addIssue({ code: 'custom', path: [...issue.path, ...unknown], message: issue.message });
    }
    return success ? { threshold: read.threshold, settings: data } : z.NEVER;
  });

/** How long a start waits for a store; one that takes longer is looked at when it is used. */
const maxProbeMs = 10_000;

/** Reads the key `blobs` of a configuration. Throws with file and line. */
export function readBlobs(source: YamlSource): ConfiguredBlobs {
  const at: YamlPath = ['blobs'];
  const { store } = source.read(at, z.looseObject({ store: z.enum(['database', 'folder', 'object']) }));
  const located = (open: (host: BlobHost) => Promise<OutsideStore>) => async (host: BlobHost) => {
    try {
      return await open(host);
    } catch (error) {
      throw error instanceof DomainError ? source.invalid(at, `blobs: ${error.message}`, error) : error;
    }
  };
  switch (store) {
    case 'database':
      source.read(at, database);
      return blobsInDatabase;
    case 'folder': {
      const settings = source.read(at, folder);
      const open = (host: BlobHost) => FolderStore.open(resolve(host.folder, settings.path));
      return { threshold: settings.threshold, open: located(open) };
    }
    case 'object': {
      const read = source.read(at, object);
      return { threshold: read.threshold, open: located((host) => openObjects(read.settings, host)) };
    }
  }
}

async function openObjects(settings: ObjectSettings, { ids, secret }: BlobHost): Promise<OutsideStore> {
  const store = await openObjectStore('blobs', settings, secret);
  const blobs = new ObjectBlobStore({ store, keys: new ObjectKeys(settings.root) });
  await blobs.probe(ids.traceId(), AbortSignal.timeout(maxProbeMs));
  return blobs;
}
