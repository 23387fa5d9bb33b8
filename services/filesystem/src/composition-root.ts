import { createHash } from 'node:crypto';
import { FileSystemService } from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import { type Clock, type IdGenerator, randomIds, systemClock } from '@spanwise/kernel';
import { type Database, type OpenDatabase, openDatabase } from '@spanwise/persistence';
import { forwardedAuthenticate, internalMaxStreams, type RunningService, serve } from '@spanwise/service-kit';
import { createLogger, type Logger, Telemetry } from '@spanwise/telemetry';
import { type FileSystemServiceDeps, fileSystemServiceHandler } from './api/file-system-service-handler.ts';
import { CallerViews } from './application/caller-views.ts';
import { CommitRun } from './application/commit-run.ts';
import { Copy } from './application/copy.ts';
import { Delete } from './application/delete.ts';
import { DeleteSessionData } from './application/delete-session-data.ts';
import { DescribeView } from './application/describe-view.ts';
import { DiffRun } from './application/diff-run.ts';
import { Download } from './application/download.ts';
import { EditFile } from './application/edit-file.ts';
import { Fence } from './application/fence.ts';
import { GetUsage } from './application/get-usage.ts';
import { Glob } from './application/glob.ts';
import { Grep } from './application/grep.ts';
import { List } from './application/list.ts';
import { ListOutputs } from './application/list-outputs.ts';
import { ListVersions } from './application/list-versions.ts';
import { MakeDirectory } from './application/make-directory.ts';
import { Move } from './application/move.ts';
import { OpenView } from './application/open-view.ts';
import { ReadFile } from './application/read-file.ts';
import { Restore } from './application/restore.ts';
import { Retain, type RetainDeps } from './application/retain.ts';
import { retainEvery } from './application/retain-every.ts';
import { RollbackRun } from './application/rollback-run.ts';
import { SessionStreams } from './application/session-streams.ts';
import { Stat } from './application/stat.ts';
import { Upload } from './application/upload.ts';
import type { Disks } from './application/view-disks.ts';
import { Watch } from './application/watch.ts';
import { WriteFile } from './application/write-file.ts';
import type { FilesystemConfig } from './config.ts';
import type { FileStore } from './domain/disk/file-store.ts';
import { quotasOf } from './domain/usage/metered-store.ts';
import { toolResultsDisk } from './domain/view/tool-results.ts';
import { BlobPlace } from './infrastructure/blobs/blob-place.ts';
import { BlobSweep } from './infrastructure/blobs/blob-sweep.ts';
import type { OutsideStore } from './infrastructure/blobs/outside-store.ts';
import type { OutsidePlace } from './infrastructure/blobs/staged-blobs.ts';
import { SqlChanges } from './infrastructure/changes/sql-changes.ts';
import type { ToolResultsSettings } from './infrastructure/configuration/tool-results-settings.ts';
import { readViewFile, type ViewFile } from './infrastructure/configuration/view-file.ts';
import type { DiskHost } from './infrastructure/disks/disk-kind.ts';
import { diskKinds } from './infrastructure/disks/disk-kinds.ts';
import { defaultLayerLimits } from './infrastructure/layers/layer-change.ts';
import { SqlLayers } from './infrastructure/layers/sql-layers.ts';
import { compileRe2Glob } from './infrastructure/matching/re2-glob.ts';
import { compileRe2LinePattern } from './infrastructure/matching/re2-line-pattern.ts';
import { sealedPageTokens } from './infrastructure/paging/sealed-page-tokens.ts';
import { migrations } from './infrastructure/persistence/migrations.ts';
import { MikroOrmViewRepository } from './infrastructure/persistence/mikro-orm-view-repository.ts';
import { SqlOutputLog } from './infrastructure/persistence/sql-output-log.ts';
import { ViewRecord } from './infrastructure/persistence/view-record.ts';
import { SqlRetentionRepository } from './infrastructure/retention/sql-retention-repository.ts';
import { ToolResultsSweep } from './infrastructure/retention/tool-results-sweep.ts';
import { startSha256 } from './infrastructure/uploads/sha256.ts';
import { SqlBlobs } from './infrastructure/uploads/sql-blobs.ts';
import { SqlUploads } from './infrastructure/uploads/sql-uploads.ts';
import { ChangeHub } from './infrastructure/watching/change-hub.ts';
import { SqlTreeHistory } from './infrastructure/watching/sql-tree-history.ts';
import { tellingDatabase } from './infrastructure/watching/telling-database.ts';
import { tellingDisk } from './infrastructure/watching/telling-disk.ts';

/** What replaces the real thing, in tests or where several services share it. The service does not dispose of them. */
export interface FilesystemOverrides {
  readonly telemetry?: Telemetry;
  readonly logger?: Logger;
  readonly clock?: Clock;
  readonly ids?: IdGenerator;
}

const serviceName = 'filesystem';
/** How long an upload is kept of which nothing more is received. */
const uploadMs = 24 * 60 * 60_000;
/** A file of 8 MiB and what comes with it. */
const maxMessageBytes = 16 * 1024 * 1024;

/** Opens the database of the filesystem service; also what the migration step uses. */
export function openFilesystemDatabase(config: FilesystemConfig): Promise<OpenDatabase> {
  return openDatabase({
    url: config.databaseUrl,
    entities: [ViewRecord],
    migrations,
    service: serviceName,
    poolSize: config.databasePoolSize,
  });
}

/**
 * Wires and starts the filesystem service. Dispose of it to stop it. Throws, naming file and line, when the configuration
 * of disks and mounts can not be used.
 */
export async function createFilesystemService(
  config: FilesystemConfig,
  overrides: FilesystemOverrides = {},
): Promise<RunningService> {
  await using resources = new AsyncDisposableStack();
  const telemetry =
    overrides.telemetry ?? resources.use(new Telemetry({ service: serviceName, env: config.telemetry ?? {} }));
  const logger = overrides.logger ?? createLogger({ service: serviceName, level: config.logLevel });
  const clock = overrides.clock ?? systemClock;
  const ids = overrides.ids ?? randomIds();

  const viewFile = readViewFile(config.viewFile, diskKinds);
  const database = resources.use(await openFilesystemDatabase(config));
  if (config.migratesAtStart) {
    await database.migrate();
  }
  const secret = config.secret ?? (() => undefined);
  const hub = new ChangeHub({ database: database.sql, onError: (error) => logger.warn({ error }, 'watchers') });
  const sql = tellingDatabase(database.sql, () => hub.changed());
  const store = await openBlobStore(viewFile, { ids, secret }, resources);
  const blobs = placeOf(viewFile, store, { database: database.sql, clock, ids });
  const disks = await openDisks(viewFile, { database: sql, blobs, clock, ids, secret }, hub, resources);
  const useCases = wire({ database, sql, blobs, hub }, disks, viewFile, clock, ids);

  const server = resources.use(
    await serve({
      host: config.host,
      port: config.port,
      services: [FileSystemService],
      routes: (router) => router.service(FileSystemService, fileSystemServiceHandler(useCases)),
      authenticate: forwardedAuthenticate(),
      trustsTraceparent: true,
      telemetry,
      logger,
      checkReady: () => database.checkReady(),
      limits: { maxStreams: internalMaxStreams, readMaxBytes: maxMessageBytes, writeMaxBytes: maxMessageBytes },
    }),
  );
  const onError = (error: unknown) => logger.warn({ error }, 'retention');
  const { toolResults } = viewFile;
  const retain = retainOf({ database: database.sql, store, disks, toolResults, clock, ids, onError });
  resources.use(retainEvery(retain, { everyMs: config.retainEveryMs, onError }));
  const owned = resources.move();
  return { server, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** One look at what is not to be kept, as a step of its own; says what it threw away. */
export async function retainOnce(config: FilesystemConfig): Promise<void> {
  await using resources = new AsyncDisposableStack();
  const viewFile = readViewFile(config.viewFile, diskKinds);
  const { folder, disks, toolResults } = viewFile;
  const database = resources.use(await openFilesystemDatabase(config));
  const host = {
    database: database.sql,
    clock: systemClock,
    ids: randomIds(),
    secret: config.secret ?? (() => undefined),
  };
  const store = await openBlobStore(viewFile, host, resources);
  // Other kinds have nothing that is thrown away, and need not be there.
  const trees = disks.filter(({ keepsMarks }) => keepsMarks);
  const opened = await Promise.all(
    trees.map(async ({ name, open }) => [name, await open({ ...host, name, folder })] as const),
  );
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  const retain = retainOf({ ...host, store, disks: new Map(opened), toolResults, onError });
  const { prunedVersions, expiredLayers, forgottenKeys, swept } = await retain.execute(new AbortController().signal);
  process.stdout.write(
    `Pruned ${prunedVersions} versions. Dropped the changes of ${expiredLayers} runs. Forgot ${forgottenKeys} keys, ${swept} uploads, stored blobs and outputs of tools.\n`,
  );
  for (const error of errors) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

interface RetainOptions extends Pick<RetainDeps, 'disks' | 'clock' | 'onError'> {
  readonly database: Database;
  readonly ids: IdGenerator;
  /** Where content lies outside of the database. */
  readonly store: OutsideStore | undefined;
  readonly toolResults: ToolResultsSettings;
}

function retainOf({ database, store, disks, toolResults, clock, ids, onError }: RetainOptions): Retain {
  const uploads = new SqlUploads({ database, clock, ids });
  const blobs = store && new BlobSweep({ database, store });
  const outputs = disks.get(toolResultsDisk);
  const results = outputs && new ToolResultsSweep({ database, disk: outputs, days: toolResults.days });
  const sweeps: RetainDeps['sweeps'] = [
    () => uploads.removeStale(uploadMs),
    ...[results, blobs].flatMap((each) =>
      each === undefined ? [] : [(nowMs: number, signal: AbortSignal) => each.sweep(nowMs, signal)],
    ),
  ];
  return new Retain({ retention: new SqlRetentionRepository(database), disks, clock, sweeps, onError });
}

async function openBlobStore(
  { blobs, folder }: ViewFile,
  { ids, secret }: Pick<DiskHost, 'ids' | 'secret'>,
  resources: AsyncDisposableStack,
): Promise<OutsideStore | undefined> {
  const store = await blobs.open?.({ folder, ids, secret });
  resources.defer(async () => store?.[Symbol.asyncDispose]?.());
  return store;
}

function placeOf(
  { blobs: { threshold } }: ViewFile,
  store: OutsideStore | undefined,
  deps: Omit<OutsidePlace, 'store' | 'threshold'>,
): BlobPlace {
  return store === undefined ? BlobPlace.inDatabase : new BlobPlace({ ...deps, store, threshold });
}

async function openDisks(
  { folder, disks }: ViewFile,
  host: Omit<DiskHost, 'name' | 'folder'>,
  hub: ChangeHub,
  resources: AsyncDisposableStack,
): Promise<Disks> {
  const opened = new Map<string, FileStore>();
  for (const { name, open } of disks) {
    const disk = await open({ ...host, name, folder });
    resources.defer(async () => disk[Symbol.asyncDispose]?.());
    opened.set(name, tellingDisk(name, disk, hub));
  }
  return opened;
}

interface Stored {
  readonly database: OpenDatabase;
  /** The same, whose changes are told to watchers. */
  readonly sql: Database;
  readonly blobs: BlobPlace;
  readonly hub: ChangeHub;
}

function wire(
  { database, sql, blobs, hub }: Stored,
  disks: Disks,
  { mounts: templates, access }: Pick<ViewFile, 'mounts' | 'access'>,
  clock: Clock,
  ids: IdGenerator,
): FileSystemServiceDeps {
  const repository = new MikroOrmViewRepository({ database });
  const outputs = new SqlOutputLog({ database: database.sql });
  const changes = new SqlChanges({ database: sql, clock });
  const layers = new SqlLayers({
    database: sql,
    blobs,
    clock,
    ids,
    limits: defaultLayerLimits,
    quotas: quotasOf(disks),
  });
  const views = new CallerViews({ views: repository, disks, layers, access });
  const streams = new SessionStreams();
  const uploads = new SqlUploads({ database: sql, clock, ids });
  const history = new SqlTreeHistory({ database: sql });
  const tokens = sealedPageTokens;
  const listOutputs = new ListOutputs({ views, outputs, tokens });
  const digest = (text: string) => createHash('sha256').update(text).digest('hex');
  const searching = { views, compileGlob: compileRe2Glob, compileLinePattern: compileRe2LinePattern, clock };
  return {
    openView: new OpenView({ views: repository, disks, templates, clock, digest }),
    describeView: new DescribeView({ views }),
    stat: new Stat({ views }),
    list: new List({ views, tokens }),
    readFile: new ReadFile({ views }),
    writeFile: new WriteFile({ views, outputs, changes }),
    editFile: new EditFile({ views, outputs, changes, clock }),
    makeDirectory: new MakeDirectory({ views, changes }),
    delete: new Delete({ views, outputs, changes }),
    move: new Move({ views, outputs, changes, clock }),
    copy: new Copy({ views, outputs, changes, clock }),
    upload: new Upload({ views, outputs, changes, uploads, streams, startChecksum: startSha256 }),
    download: new Download({
      views,
      blobs: new SqlBlobs({ database: sql, blobs }),
      streams,
      startChecksum: startSha256,
    }),
    glob: new Glob(searching),
    grep: new Grep(searching),
    listOutputs,
    commitRun: new CommitRun({ views, listOutputs, clock }),
    rollbackRun: new RollbackRun({ views, clock }),
    diffRun: new DiffRun({ views, tokens }),
    listVersions: new ListVersions({ views }),
    restore: new Restore({ views, outputs, changes }),
    getUsage: new GetUsage({ views, disks }),
    watch: new Watch({ views, history, feed: hub, streams, clock }),
    fence: new Fence({ changes }),
    deleteSessionData: new DeleteSessionData({ views: repository, outputs, changes, layers, uploads, disks }),
  };
}
