import { readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { DomainError } from '@spanwise/kernel';
import { z } from 'zod';
import { type Access, openAccess } from '../../domain/access/access.ts';
import type { MountTemplate } from '../../domain/view/mount-template.ts';
import { toolResultsDisk, toolResultsMount } from '../../domain/view/tool-results.ts';
import type { DiskKind } from '../disks/disk-kind.ts';
import { readAccess } from './access-settings.ts';
import { blobsInDatabase, type ConfiguredBlobs, readBlobs } from './blob-settings.ts';
import { configurationInvalid } from './configuration-errors.ts';
import type { ConfiguredDisk } from './configured-disk.ts';
import { readMounts } from './mount-settings.ts';
import {
  defaultToolResults,
  readToolResults,
  type ToolResultsSettings,
  toolResultsDiskOf,
} from './tool-results-settings.ts';
import { type YamlPath, YamlSource } from './yaml-source.ts';

/** What `fs-view.yaml` says. */
export interface ViewFile {
  /** Folder of the file. */
  readonly folder: string;
  /** Those of the file, and the one of the service's own. */
  readonly disks: readonly ConfiguredDisk[];
  /** Where new content of tree disks and layers goes; without the key `blobs` into the database. */
  readonly blobs: ConfiguredBlobs;
  /** How much of the outputs of tools is kept; without the key `tool_results` 256 MiB a session, for 30 days. */
  readonly toolResults: ToolResultsSettings;
  /** Those of the file, and the one of the service's own. */
  readonly mounts: readonly MountTemplate[];
  /** Without the key `access` everything is allowed and nothing is protected. */
  readonly access: Access;
}

const fileSchema = z.strictObject({
  disks: z.record(z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/i), z.unknown()),
  fs_view: z.strictObject({ session: z.strictObject({ mount_conf: z.array(z.unknown()).min(1) }) }),
  blobs: z.unknown().optional(),
  tool_results: z.unknown().optional(),
  access: z.unknown().optional(),
});

/** Reads a configuration file. Throws with file and line for whatever can not be used. */
export function readViewFile(path: string, kinds: readonly DiskKind[]): ViewFile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw configurationInvalid(path, 'can not be read', error);
  }
  return { folder: dirname(resolve(path)), ...parseViewFile(basename(path), text, kinds) };
}

/** Parses the text of a configuration file; `name` is how it is called in errors. */
export function parseViewFile(name: string, text: string, kinds: readonly DiskKind[]): Omit<ViewFile, 'folder'> {
  const source = new YamlSource(name, text);
  const file = source.read([], fileSchema);
  const disks = Object.keys(file.disks).map((disk) => readDisk(source, disk, kinds));
  const mountable = new Map(disks.map(({ name: disk, keepsMarks }) => [disk, keepsMarks]));
  const mounts = [...readMounts(source, file.fs_view.session.mount_conf.length, mountable), toolResultsMount];
  const access = file.access === undefined ? openAccess : readAccess(source, mounts);
  const blobs = file.blobs === undefined ? blobsInDatabase : readBlobs(source);
  const toolResults = file.tool_results === undefined ? defaultToolResults : readToolResults(source);
  return { disks: [...disks, toolResultsDiskOf(toolResults)], blobs, toolResults, mounts, access };
}

function readDisk(source: YamlSource, name: string, kinds: readonly DiskKind[]): ConfiguredDisk {
  const at: YamlPath = ['disks', name];
  if (name === toolResultsDisk) {
    throw source.invalid(at, `${name} is the name of a disk of the service's own: choose another one`);
  }
  const { kind } = source.read(at, z.looseObject({ kind: z.string() }));
  const found = kinds.find((each) => each.kind === kind);
  if (found === undefined) {
    const known = kinds.map((each) => each.kind).join(', ');
    throw source.invalid([...at, 'kind'], `the kind ${kind} of disk ${name} is not known: use one of ${known}`);
  }
  const open = source.read(at, found.settings);
  return {
    name,
    keepsMarks: found.keepsMarks === true,
    async open(host) {
      try {
        return await open(host);
      } catch (error) {
        throw error instanceof DomainError ? source.invalid(at, `disk ${name}: ${error.message}`, error) : error;
      }
    },
  };
}
