import { DomainError } from '@spanwise/kernel';
import { z } from 'zod';
import { VirtualPath } from '../../domain/path/virtual-path.ts';
import type { MountSource } from '../../domain/view/mount.ts';
import { type MountTemplate, maxValueLength, mountFor, unknownPlaceholders } from '../../domain/view/mount-template.ts';
import { toolResultsMount } from '../../domain/view/tool-results.ts';
import type { YamlPath, YamlSource } from './yaml-source.ts';

const mountConf: YamlPath = ['fs_view', 'session', 'mount_conf'];

const mountSchema = z.strictObject({
  mount: z.string(),
  disk_name: z.string().optional(),
  remote: z.string().optional(),
  union: z.array(z.unknown()).min(2).optional(),
  read_only: z.boolean().default(false),
  output_path: z.boolean().default(false),
});

const sourceSchema = z.strictObject({
  disk_name: z.string(),
  remote: z.string().default('/'),
  priority: z.int32(),
  optional: z.boolean().default(false),
});

type Source = MountSource<string>;
type Sources = MountTemplate['sources'];

/** The disks of the configuration by name, and whether each can be written to in a union. */
export type MountableDisks = ReadonlyMap<string, boolean>;

/** Reads the mounts of a configuration, of which there are `count`. Throws with the line of what can not be used. */
export function readMounts(source: YamlSource, count: number, disks: MountableDisks): readonly MountTemplate[] {
  const mounts = Array.from({ length: count }, (_, index) => readMount(source, [...mountConf, index], disks));
  for (const [index, { path }] of mounts.entries()) {
    if (path.isWithin(toolResultsMount.path)) {
      const own = toolResultsMount.path.text;
      throw source.invalid(
        [...mountConf, index, 'mount'],
        `${own} is a mount of the service's own: choose another path`,
      );
    }
    if (mounts.findIndex((other) => other.path.equals(path)) !== index) {
      throw source.invalid([...mountConf, index, 'mount'], `the mount ${path.text} is there twice`);
    }
  }
  return mounts;
}

function readMount(source: YamlSource, at: YamlPath, disks: MountableDisks): MountTemplate {
  const settings = source.read(at, mountSchema);
  const { disk_name: disk, remote, union, read_only: isReadOnly, output_path: isOutput } = settings;
  if ((disk === undefined) === (union === undefined)) {
    throw source.invalid(at, 'a mount has either disk_name or union');
  }
  if (union !== undefined && remote !== undefined) {
    throw source.invalid([...at, 'remote'], 'the sources of a union have a remote each');
  }
  const path = parsedAt(source, [...at, 'mount'], () => VirtualPath.parse(settings.mount));
  const sources: Sources =
    union === undefined
      ? [{ disk: disk ?? '', remote: remote ?? '/', priority: 0, isOptional: false }]
      : readUnion(source, [...at, 'union'], union.length);
  for (const [index, each] of sources.entries()) {
    assertUsable(source, union === undefined ? at : [...at, 'union', index], each, disks);
  }
  const byPriority = sources.toSorted((left, right) => right.priority - left.priority);
  const [first = sources[0], ...others] = byPriority;
  if (union !== undefined && !isReadOnly && disks.get(first.disk) !== true) {
    const why = `the source with the highest priority is written to, and ${first.disk} is no tree disk`;
    throw source.invalid([...at, 'union'], `${why}: add one, or give the mount read_only: true`);
  }
  if (union !== undefined && !isReadOnly && first.isOptional) {
    throw source.invalid(
      [...at, 'union'],
      'the source with the highest priority is written to: it can not be optional',
    );
  }
  return { path, sources: [first, ...others], isReadOnly, isOutput };
}

function readUnion(source: YamlSource, at: YamlPath, count: number): Sources {
  const read = (index: number): Source => {
    const { disk_name: disk, remote, priority, optional: isOptional } = source.read([...at, index], sourceSchema);
    return { disk, remote, priority, isOptional };
  };
  const [first, ...others]: Sources = [read(0), ...Array.from({ length: count - 1 }, (_, index) => read(index + 1))];
  const priorities = new Set([first.priority]);
  for (const [index, { priority }] of others.entries()) {
    if (priorities.has(priority)) {
      throw source.invalid([...at, index + 1, 'priority'], `the priority ${priority} is there twice`);
    }
    priorities.add(priority);
  }
  return [first, ...others];
}

function assertUsable(source: YamlSource, at: YamlPath, mounted: Source, disks: MountableDisks): void {
  const { disk, remote } = mounted;
  if (!disks.has(disk)) {
    throw source.invalid([...at, 'disk_name'], `the disk ${disk} is not among disks`);
  }
  const [unknown] = unknownPlaceholders(remote);
  if (unknown !== undefined) {
    throw source.invalid([...at, 'remote'], `remote has ${unknown}: only {uid} and {session_id} mean something`);
  }
  // Tried with the longest values that there can be.
  const longest = { uid: 'x'.repeat(maxValueLength), sessionId: 'x'.repeat(36), digest: () => 'x'.repeat(64) };
  const mount = { path: VirtualPath.root, sources: [mounted], isReadOnly: true, isOutput: false } as const;
  parsedAt(source, [...at, 'remote'], () => mountFor(mount, longest));
}

function parsedAt<Value>(source: YamlSource, at: YamlPath, parse: () => Value): Value {
  try {
    return parse();
  } catch (error) {
    throw error instanceof DomainError ? source.invalid(at, error.message.replace(/\.$/, ''), error) : error;
  }
}
