import { brandId, type RunId, randomIds, type SessionId } from '@spanwise/kernel';
import type { ChangeSource } from '../src/domain/change/change.ts';
import { ada, type FilesFixture, failureOf, never, utf8 } from './files-fixture.ts';

const ids = randomIds();

/** A session of its own with an open view, and short ways to change its files. */
export async function openSession(files: FilesFixture, options: { readonly sessionId?: SessionId } = {}) {
  const sessionId = options.sessionId ?? brandId<SessionId>(ids.uuid());
  const viewId = brandId<RunId>(ids.uuid());
  await files.openView.execute(ada, { viewId, sessionId });
  return sessionOn(files, sessionId, viewId);
}

export type SessionUnderTest = Awaited<ReturnType<typeof openSession>>;

/** The same session and view through other use cases, as another replica has them. */
export function sessionOn(files: FilesFixture, sessionId: SessionId, viewId: RunId) {
  const read = (path: string) => files.readFile.execute(ada, { viewId, path, offset: 0, length: 0 }, never);
  return {
    sessionId,
    viewId,
    write: (path: string, text: string, options: ChangeSource & { ifMatch?: string; createOnly?: boolean } = {}) =>
      files.writeFile.execute(ada, { viewId, path, data: utf8(text), ...options }, never),
    edit: (path: string, oldText: string, newText: string, source: ChangeSource = {}) => {
      const request = { viewId, path, oldText, newText, replaceAll: true, ifMatch: undefined, ...source };
      return files.editFile.execute(ada, request, never);
    },
    makeDirectory: (path: string, source: ChangeSource = {}) =>
      files.makeDirectory.execute(ada, { viewId, path, ...source }, never),
    remove: (path: string, source: ChangeSource = {}) =>
      files.delete.execute(ada, { viewId, path, isRecursive: true, ...source }, never),
    move: (fromPath: string, toPath: string, source: ChangeSource = {}) =>
      files.move.execute(ada, { viewId, fromPath, toPath, ...source }, never),
    fence: (epoch: number, stop = false) => files.fence.execute({ sessionId, epoch, stop }),
    deleteData: (caller = ada) => files.deleteSessionData.execute(caller, sessionId, never),
    /** The content of a file; undefined when there is none. */
    text: async (path: string) => {
      try {
        return new TextDecoder().decode((await read(path)).data);
      } catch (error) {
        return (error as { reason?: string }).reason === 'FILE_NOT_FOUND' ? undefined : Promise.reject(error);
      }
    },
    exists: async (path: string) => (await failureOf(files.stat.execute(ada, { viewId, path }, never))) === noFailure,
    outputs: async () => {
      const { files: found } = await files.listOutputs.execute(ada, { viewId, pageSize: 100, pageToken: '' }, never);
      return found.map(({ path }) => path.text);
    },
  };
}

const noFailure = 'it did not fail';

/** A key of a request that is told apart by `request`. */
export function once(key: string, request = key): ChangeSource {
  return { once: { key, requestHash: request } };
}
