import { createHash } from 'node:crypto';
import { FileSystemService } from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import { type Clock, type IdGenerator, randomIds, systemClock } from '@spanwise/kernel';
import { type OpenDatabase, openDatabase } from '@spanwise/persistence';
import { forwardedAuthenticate, internalMaxStreams, type RunningService, serve } from '@spanwise/service-kit';
import { createLogger, type Logger, Telemetry } from '@spanwise/telemetry';
import { type FileSystemServiceDeps, fileSystemServiceHandler } from './api/file-system-service-handler.ts';
import { CallerViews } from './application/caller-views.ts';
import { CommitRun } from './application/commit-run.ts';
import { Delete } from './application/delete.ts';
import { DeleteSessionData } from './application/delete-session-data.ts';
import { DescribeView } from './application/describe-view.ts';
import { DiffRun } from './application/diff-run.ts';
import { EditFile } from './application/edit-file.ts';
import { Fence } from './application/fence.ts';
import { Glob } from './application/glob.ts';
import { Grep } from './application/grep.ts';
import { List } from './application/list.ts';
import { ListOutputs } from './application/list-outputs.ts';
import { MakeDirectory } from './application/make-directory.ts';
import { Move } from './application/move.ts';
import { OpenView } from './application/open-view.ts';
import { ReadFile } from './application/read-file.ts';
import { RollbackRun } from './application/rollback-run.ts';
import { Stat } from './application/stat.ts';
import type { Disks } from './application/view-disks.ts';
import { WriteFile } from './application/write-file.ts';
import type { FilesystemConfig } from './config.ts';
import type { FileStore } from './domain/disk/file-store.ts';
import { SqlChanges } from './infrastructure/changes/sql-changes.ts';
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

/** What replaces the real thing, in tests or where several services share it. The service does not dispose of them. */
export interface FilesystemOverrides {
  readonly telemetry?: Telemetry;
  readonly logger?: Logger;
  readonly clock?: Clock;
  readonly ids?: IdGenerator;
}

const serviceName = 'filesystem';
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
  const disks = await openDisks(viewFile, { database: database.sql, clock, ids, secret }, resources);
  const useCases = wire(database, disks, viewFile, clock, ids);

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
  const owned = resources.move();
  return { server, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function openDisks(
  { folder, disks }: ViewFile,
  host: Omit<DiskHost, 'name' | 'folder'>,
  resources: AsyncDisposableStack,
): Promise<Disks> {
  const opened = new Map<string, FileStore>();
  for (const { name, open } of disks) {
    const disk = await open({ ...host, name, folder });
    resources.defer(async () => disk[Symbol.asyncDispose]?.());
    opened.set(name, disk);
  }
  return opened;
}

function wire(
  database: OpenDatabase,
  disks: Disks,
  { mounts: templates, access }: Pick<ViewFile, 'mounts' | 'access'>,
  clock: Clock,
  ids: IdGenerator,
): FileSystemServiceDeps {
  const repository = new MikroOrmViewRepository({ database });
  const outputs = new SqlOutputLog({ database: database.sql });
  const changes = new SqlChanges({ database: database.sql, clock });
  const layers = new SqlLayers({ database: database.sql, clock, ids, limits: defaultLayerLimits });
  const views = new CallerViews({ views: repository, disks, layers, access });
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
    glob: new Glob(searching),
    grep: new Grep(searching),
    listOutputs,
    commitRun: new CommitRun({ views, listOutputs }),
    rollbackRun: new RollbackRun({ views }),
    diffRun: new DiffRun({ views, tokens }),
    fence: new Fence({ changes }),
    deleteSessionData: new DeleteSessionData({ views: repository, outputs, changes, layers, disks }),
  };
}
