import { createHash } from 'node:crypto';
import { brandId, type RunId, type SessionId, type Uid } from '@spanwise/kernel';
import { fakeClock } from '@spanwise/testing';
import { CallerViews } from '../src/application/caller-views.ts';
import { CommitRun } from '../src/application/commit-run.ts';
import { Copy } from '../src/application/copy.ts';
import { Delete } from '../src/application/delete.ts';
import { DeleteSessionData } from '../src/application/delete-session-data.ts';
import { DiffRun } from '../src/application/diff-run.ts';
import { EditFile } from '../src/application/edit-file.ts';
import { Fence } from '../src/application/fence.ts';
import { GetUsage } from '../src/application/get-usage.ts';
import { Glob } from '../src/application/glob.ts';
import { Grep, type GrepEvent } from '../src/application/grep.ts';
import { List } from '../src/application/list.ts';
import { ListOutputs } from '../src/application/list-outputs.ts';
import { ListVersions } from '../src/application/list-versions.ts';
import { MakeDirectory } from '../src/application/make-directory.ts';
import { Move } from '../src/application/move.ts';
import { OpenView } from '../src/application/open-view.ts';
import type { Changes } from '../src/application/ports/changes.ts';
import type { Layers } from '../src/application/ports/layers.ts';
import type { Uploads } from '../src/application/ports/uploads.ts';
import { ReadFile } from '../src/application/read-file.ts';
import { Restore } from '../src/application/restore.ts';
import { RollbackRun } from '../src/application/rollback-run.ts';
import { Stat } from '../src/application/stat.ts';
import { WriteFile } from '../src/application/write-file.ts';
import type { Caller } from '../src/domain/disk/caller.ts';
import type { FileStore } from '../src/domain/disk/file-store.ts';
import type { OutputLog } from '../src/domain/output/output-log.ts';
import { VirtualPath } from '../src/domain/path/virtual-path.ts';
import type { MountTemplate } from '../src/domain/view/mount-template.ts';
import type { ViewRepository } from '../src/domain/view/view-repository.ts';
import { InMemoryChanges } from '../src/infrastructure/changes/in-memory-changes.ts';
import { MemoryDisk } from '../src/infrastructure/disks/memory/memory-disk.ts';
import { compileRe2Glob } from '../src/infrastructure/matching/re2-glob.ts';
import { compileRe2LinePattern } from '../src/infrastructure/matching/re2-line-pattern.ts';
import { sealedPageTokens } from '../src/infrastructure/paging/sealed-page-tokens.ts';
import { InMemoryOutputLog } from '../src/infrastructure/persistence/in-memory-output-log.ts';
import { InMemoryViewRepository } from '../src/infrastructure/persistence/in-memory-view-repository.ts';

export const ada: Caller = { uid: brandId<Uid>('ada'), email: 'ada@example.com', token: 'token-of-ada' };
export const bob: Caller = { uid: brandId<Uid>('bob'), email: '', token: '' };
export const viewId = brandId<RunId>('00000000-0000-7000-8000-0000000000a1');
export const sessionId = brandId<SessionId>('00000000-0000-7000-8000-0000000000b1');
export const never: AbortSignal = new AbortController().signal;

export interface MountOptions {
  readonly disk?: string;
  readonly remote?: string;
  readonly isReadOnly?: boolean;
  readonly isOutput?: boolean;
}

/** A mount of one disk. */
export function mount(path: string, options: MountOptions = {}): MountTemplate {
  const { disk = 'work', remote = '/', isReadOnly = false, isOutput = false } = options;
  const source = { disk, remote, priority: 0, isOptional: false };
  return { path: VirtualPath.parse(path), sources: [source], isReadOnly, isOutput };
}

/** A writable output mount on one disk and a read-only one on another. */
export const usualMounts: readonly MountTemplate[] = [
  mount('/workspace', { remote: '/{uid}/{session_id}', isOutput: true }),
  mount('/library', { disk: 'books', isReadOnly: true }),
];

export interface FixtureOptions {
  readonly mounts?: readonly MountTemplate[];
  /** Default: memory disks `work` and `books`. */
  readonly disks?: ReadonlyMap<string, FileStore>;
  /** Default: in memory, as are the others. */
  readonly changes?: Changes;
  readonly repository?: ViewRepository;
  readonly outputs?: OutputLog;
  /** Default: none, for views without a layer. */
  readonly layers?: Layers;
  /** Default: none are kept. */
  readonly uploads?: Pick<Uploads, 'forget'>;
}

const without = () => {
  throw new TypeError('the fixture has no layers');
};
const noLayers: Layers = {
  of: without,
  union: without,
  forget: async () => undefined,
};

const noUploads: Pick<Uploads, 'forget'> = { forget: async () => undefined };

/** All use cases on in-memory adapters, with an open view of Ada's. */
export async function filesFixture({
  mounts = usualMounts,
  disks,
  changes = new InMemoryChanges(),
  repository = new InMemoryViewRepository(),
  outputs = new InMemoryOutputLog(),
  layers = noLayers,
  uploads = noUploads,
}: FixtureOptions = {}) {
  const clock = fakeClock();
  const stores =
    disks ??
    new Map([
      ['work', new MemoryDisk({ clock })],
      ['books', new MemoryDisk({ clock })],
    ]);
  const views = new CallerViews({ views: repository, disks: stores, layers });
  const tokens = sealedPageTokens;
  const digest = (text: string) => createHash('sha256').update(text).digest('hex');
  const searching = { views, compileGlob: compileRe2Glob, compileLinePattern: compileRe2LinePattern, clock };
  const listOutputs = new ListOutputs({ views, outputs, tokens });
  const useCases = {
    openView: new OpenView({ views: repository, disks: stores, templates: mounts, clock, digest }),
    stat: new Stat({ views }),
    list: new List({ views, tokens }),
    readFile: new ReadFile({ views }),
    writeFile: new WriteFile({ views, outputs, changes }),
    editFile: new EditFile({ views, outputs, changes, clock }),
    makeDirectory: new MakeDirectory({ views, changes }),
    delete: new Delete({ views, outputs, changes }),
    move: new Move({ views, outputs, changes, clock }),
    copy: new Copy({ views, outputs, changes, clock }),
    glob: new Glob(searching),
    grep: new Grep(searching),
    listOutputs,
    commitRun: new CommitRun({ views, listOutputs, clock }),
    rollbackRun: new RollbackRun({ views, clock }),
    diffRun: new DiffRun({ views, tokens }),
    listVersions: new ListVersions({ views }),
    restore: new Restore({ views, outputs, changes }),
    getUsage: new GetUsage({ views, disks: stores }),
    fence: new Fence({ changes }),
    deleteSessionData: new DeleteSessionData({ views: repository, outputs, changes, layers, uploads, disks: stores }),
  };
  await useCases.openView.execute(ada, { viewId, sessionId });
  return { ...useCases, views, clock, disks: stores, ...shortcuts(useCases) };
}

export type FilesFixture = Awaited<ReturnType<typeof filesFixture>>;

/** The use cases with text instead of bytes, for Ada's view. */
function shortcuts(useCases: {
  readonly writeFile: WriteFile;
  readonly readFile: ReadFile;
  readonly list: List;
  readonly grep: Grep;
}) {
  return {
    async put(path: string, text: string): Promise<string> {
      const { node } = await useCases.writeFile.execute(ada, { viewId, path, data: utf8(text) }, never);
      return node.etag;
    },
    async text(path: string): Promise<string> {
      const { data } = await useCases.readFile.execute(ada, { viewId, path, offset: 0, length: 0 }, never);
      return new TextDecoder().decode(data);
    },
    async names(path: string): Promise<string[]> {
      const { entries } = await useCases.list.execute(ada, { viewId, path, pageSize: 1000, pageToken: '' }, never);
      return entries.map((entry) => entry.path.text);
    },
    async search(pattern: string, options: Partial<Parameters<Grep['execute']>[1]> = {}): Promise<GrepEvent[]> {
      const request = {
        ...{ viewId, path: '/', pattern, include: '', ignoreCase: false, contextLines: 0, limit: 1000 },
        ...options,
      };
      return Array.fromAsync(useCases.grep.execute(ada, request, never));
    },
  };
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Reason and facts of an expected failure. */
export async function failureOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error instanceof Error && 'reason' in error && 'facts' in error
      ? { reason: error.reason, facts: error.facts }
      : error;
  }
  return 'it did not fail';
}
