import type { ServiceImpl } from '@connectrpc/connect';
import {
  DeleteRequestSchema,
  EditRequestSchema,
  type FileSystemService,
  MakeDirectoryRequestSchema,
  MoveRequestSchema,
} from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import { brandId, type RunId, type SessionId } from '@spanwise/kernel';
import { requireIdentity } from '@spanwise/service-kit';
import type { Delete } from '../application/delete.ts';
import type { DeleteSessionData } from '../application/delete-session-data.ts';
import type { DescribeView } from '../application/describe-view.ts';
import type { EditFile } from '../application/edit-file.ts';
import type { Fence } from '../application/fence.ts';
import type { Glob } from '../application/glob.ts';
import type { Grep } from '../application/grep.ts';
import type { List } from '../application/list.ts';
import type { ListOutputs } from '../application/list-outputs.ts';
import type { MakeDirectory } from '../application/make-directory.ts';
import type { Move } from '../application/move.ts';
import type { OpenView } from '../application/open-view.ts';
import type { ReadFile } from '../application/read-file.ts';
import type { Stat } from '../application/stat.ts';
import type { WriteFile } from '../application/write-file.ts';
import { epochOf, toChangeSource } from './change-mapping.ts';
import { grepMessages } from './grep-messages.ts';
import { toLayerState } from './layer-mapping.ts';
import { guardOf, limitOf, offsetOf, pageLimit, toGlobInput, toGrepInput, toWriteRequest } from './request-mapping.ts';
import { type RunHandlersDeps, runHandlers } from './run-handlers.ts';
import { type StreamHandlersDeps, streamHandlers } from './stream-handlers.ts';
import { type UsageHandlersDeps, usageHandlers } from './usage-handlers.ts';
import { type VersionHandlersDeps, versionHandlers } from './version-handlers.ts';
import { toFileInfo, toOutputInfo, toView } from './view-mapping.ts';
import { type WatchHandlersDeps, watchHandlers } from './watch-handlers.ts';

export interface FileSystemServiceDeps
  extends RunHandlersDeps,
    StreamHandlersDeps,
    UsageHandlersDeps,
    WatchHandlersDeps,
    VersionHandlersDeps {
  readonly openView: OpenView;
  readonly describeView: DescribeView;
  readonly stat: Stat;
  readonly list: List;
  readonly readFile: ReadFile;
  readonly writeFile: WriteFile;
  readonly editFile: EditFile;
  readonly makeDirectory: MakeDirectory;
  readonly delete: Delete;
  readonly move: Move;
  readonly glob: Glob;
  readonly grep: Grep;
  readonly listOutputs: ListOutputs;
  readonly fence: Fence;
  readonly deleteSessionData: DeleteSessionData;
}

/** FileSystemService: translates in, calls, translates out. */
export function fileSystemServiceHandler(deps: FileSystemServiceDeps): ServiceImpl<typeof FileSystemService> {
  return {
    ...viewHandlers(deps),
    ...readHandlers(deps),
    ...changeHandlers(deps),
    ...searchHandlers(deps),
    ...sessionHandlers(deps),
    ...runHandlers(deps),
    ...streamHandlers(deps),
    ...versionHandlers(deps),
    ...watchHandlers(deps),
    ...usageHandlers(deps),
  };
}

type Handlers<Name extends keyof ServiceImpl<typeof FileSystemService>> = Pick<
  ServiceImpl<typeof FileSystemService>,
  Name
>;

function viewHandlers(deps: FileSystemServiceDeps): Handlers<'openView' | 'describeView' | 'listOutputs'> {
  return {
    async openView({ viewId, sessionId, runLayer }, context) {
      const ids = { viewId: brandId<RunId>(viewId), sessionId: brandId<SessionId>(sessionId) };
      return { view: toView(await deps.openView.execute(requireIdentity(context), { ...ids, hasLayer: runLayer })) };
    },
    async describeView({ viewId }, context) {
      const { view, state } = await deps.describeView.execute(requireIdentity(context), { viewId });
      return { view: toView(view, toLayerState(state)) };
    },
    async listOutputs({ viewId, pageSize, pageToken }, context) {
      const request = { viewId, pageSize: limitOf(pageSize, pageLimit), pageToken };
      const { files, nextPageToken } = await deps.listOutputs.execute(
        requireIdentity(context),
        request,
        context.signal,
      );
      return { files: files.map(toOutputInfo), nextPageToken };
    },
  };
}

function readHandlers(deps: FileSystemServiceDeps): Handlers<'stat' | 'list' | 'read'> {
  return {
    async stat({ viewId, path }, context) {
      return { file: toFileInfo(await deps.stat.execute(requireIdentity(context), { viewId, path }, context.signal)) };
    },
    async list({ viewId, path, pageSize, pageToken }, context) {
      const request = { viewId, path, pageSize: limitOf(pageSize, pageLimit), pageToken };
      const page = await deps.list.execute(requireIdentity(context), request, context.signal);
      const { entries, nextPageToken, partialSources } = page;
      return { entries: entries.map(toFileInfo), nextPageToken, partialSources: [...partialSources] };
    },
    async read({ viewId, path, offset, length }, context) {
      const request = { viewId, path, offset: offsetOf(offset), length };
      const outcome = await deps.readFile.execute(requireIdentity(context), request, context.signal);
      return { data: outcome.data, file: toFileInfo(outcome) };
    },
  };
}

function changeHandlers(deps: FileSystemServiceDeps): Handlers<'write' | 'edit' | 'makeDirectory' | 'delete' | 'move'> {
  return {
    async write(request, context) {
      const caller = requireIdentity(context);
      const outcome = await deps.writeFile.execute(caller, toWriteRequest(request), context.signal);
      return { file: toFileInfo(outcome), created: outcome.isCreated };
    },
    async edit(message, context) {
      const { viewId, path, oldText, newText, replaceAll } = message;
      const source = toChangeSource(EditRequestSchema, message);
      const request = { viewId, path, oldText, newText, replaceAll, ifMatch: guardOf(message.ifMatch), ...source };
      const outcome = await deps.editFile.execute(requireIdentity(context), request, context.signal);
      return { file: toFileInfo(outcome), replacements: outcome.replacements };
    },
    async makeDirectory(message, context) {
      const { viewId, path } = message;
      const request = { viewId, path, ...toChangeSource(MakeDirectoryRequestSchema, message) };
      const made = await deps.makeDirectory.execute(requireIdentity(context), request, context.signal);
      return { file: toFileInfo(made) };
    },
    async delete(message, context) {
      const { viewId, path, recursive, ifMatch } = message;
      const source = toChangeSource(DeleteRequestSchema, message);
      const request = { viewId, path, isRecursive: recursive, ifMatch: guardOf(ifMatch), ...source };
      await deps.delete.execute(requireIdentity(context), request, context.signal);
      return {};
    },
    async move(message, context) {
      const { viewId, fromPath, toPath } = message;
      const request = { viewId, fromPath, toPath, ...toChangeSource(MoveRequestSchema, message) };
      return { file: toFileInfo(await deps.move.execute(requireIdentity(context), request, context.signal)) };
    },
  };
}

function sessionHandlers(deps: FileSystemServiceDeps): Handlers<'fence' | 'deleteSessionData'> {
  return {
    async fence({ sessionId, epoch, stop }, context) {
      requireIdentity(context);
      await deps.fence.execute({ sessionId: brandId<SessionId>(sessionId), epoch: epochOf(epoch), stop });
      return {};
    },
    async deleteSessionData({ sessionId }, context) {
      const caller = requireIdentity(context);
      await deps.deleteSessionData.execute(caller, brandId<SessionId>(sessionId), context.signal);
      return {};
    },
  };
}

function searchHandlers(deps: FileSystemServiceDeps): Handlers<'glob' | 'grep'> {
  return {
    async glob(request, context) {
      const caller = requireIdentity(context);
      const found = await deps.glob.execute(caller, toGlobInput(request), context.signal);
      const { files, isTruncated, partialSources } = found;
      return { files: files.map(toFileInfo), truncated: isTruncated, partialSources: [...partialSources] };
    },
    grep: (request, context) =>
      grepMessages(deps.grep.execute(requireIdentity(context), toGrepInput(request), context.signal)),
  };
}
