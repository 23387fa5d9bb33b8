import { readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { DomainError } from '@spanwise/kernel';
import { z } from 'zod';
import { VirtualPath } from '../../domain/path/virtual-path.ts';
import { type MountTemplate, maxValueLength, mountFor, unknownPlaceholders } from '../../domain/view/mount-template.ts';
import type { DiskKind, DiskOpener } from '../disks/disk-kind.ts';
import { configurationInvalid } from './configuration-errors.ts';
import { type YamlPath, YamlSource } from './yaml-source.ts';

/** A disk of the configuration that is not open yet. */
export interface ConfiguredDisk {
  readonly name: string;
  /** Throws with the line of the disk what its opener throws. */
  readonly open: DiskOpener;
}

/** What `fs-view.yaml` says. */
export interface ViewFile {
  /** Folder of the file. */
  readonly folder: string;
  readonly disks: readonly ConfiguredDisk[];
  readonly mounts: readonly MountTemplate[];
}

const notSupported = 'not supported by this version';
/** Kinds of disks that have a name already. */
const laterKinds = new Set(['rest', 'object']);

const fileSchema = z.strictObject({
  disks: z.record(z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/i), z.unknown()),
  fs_view: z.strictObject({ session: z.strictObject({ mount_conf: z.array(z.unknown()).min(1) }) }),
});

const mountSchema = z.strictObject({
  mount: z.string(),
  disk_name: z.string(),
  remote: z.string().default('/'),
  read_only: z.boolean().default(false),
  output_path: z.boolean().default(false),
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
  const mounts = file.fs_view.session.mount_conf.map((_, index) => readMount(source, index, disks));
  for (const [index, { path }] of mounts.entries()) {
    if (mounts.findIndex((other) => other.path.equals(path)) !== index) {
      throw source.invalid([...mountConf, index, 'mount'], `the mount ${path.text} is there twice`);
    }
  }
  return { disks, mounts };
}

const mountConf: YamlPath = ['fs_view', 'session', 'mount_conf'];

function readDisk(source: YamlSource, name: string, kinds: readonly DiskKind[]): ConfiguredDisk {
  const at: YamlPath = ['disks', name];
  const { kind } = source.read(at, z.looseObject({ kind: z.string() }));
  const found = kinds.find((each) => each.kind === kind);
  if (found === undefined) {
    const known = kinds.map((each) => each.kind).join(', ');
    const why = laterKinds.has(kind) ? notSupported : 'not known';
    throw source.invalid([...at, 'kind'], `the kind ${kind} of disk ${name} is ${why}: use one of ${known}`);
  }
  const open = source.read(at, found.settings);
  return {
    name,
    async open(host) {
      try {
        return await open(host);
      } catch (error) {
        throw error instanceof DomainError ? source.invalid(at, `disk ${name}: ${error.message}`, error) : error;
      }
    },
  };
}

function readMount(source: YamlSource, index: number, disks: readonly ConfiguredDisk[]): MountTemplate {
  const at: YamlPath = [...mountConf, index];
  const { union } = source.read(at, z.looseObject({ union: z.unknown().optional() }));
  if (union !== undefined) {
    throw source.invalid([...at, 'union'], `union is ${notSupported}: name one disk with disk_name`);
  }
  const settings = source.read(at, mountSchema);
  if (!disks.some(({ name }) => name === settings.disk_name)) {
    throw source.invalid([...at, 'disk_name'], `the disk ${settings.disk_name} is not among disks`);
  }
  const path = parsedAt(source, [...at, 'mount'], () => VirtualPath.parse(settings.mount));
  const { remote, read_only: isReadOnly, output_path: isOutput } = settings;
  const template = { path, disk: settings.disk_name, remote, isReadOnly, isOutput };
  const [unknown] = unknownPlaceholders(remote);
  if (unknown !== undefined) {
    throw source.invalid([...at, 'remote'], `remote has ${unknown}: only {uid} and {session_id} mean something`);
  }
  // Tried with the longest values that there can be.
  const longest = { uid: 'x'.repeat(maxValueLength), sessionId: 'x'.repeat(36), digest: () => 'x'.repeat(64) };
  parsedAt(source, [...at, 'remote'], () => mountFor(template, longest));
  return template;
}

function parsedAt<Value>(source: YamlSource, at: YamlPath, parse: () => Value): Value {
  try {
    return parse();
  } catch (error) {
    throw error instanceof DomainError ? source.invalid(at, error.message.replace(/\.$/, ''), error) : error;
  }
}
