import type { Files } from '@spanwise/tool-kit/contract';
import { fileError } from '../domain/files/file-errors.ts';

/** Where outputs are kept: every view has it, and only this service writes there. */
export const keptOutputsPath = '/tool-results';

/**
 * The files of a tool, for which outputs that were kept are there to be read only. The file service can not see to that: it
 * lets this service write there, for whomever. Throws MOUNT_READ_ONLY for what would change something there.
 */
export function readingKeptOutputs(files: Files): Files {
  const changing = async <Result>(paths: readonly string[], change: () => Promise<Result>): Promise<Result> => {
    const kept = paths.find(isKept);
    if (kept !== undefined) {
      throw fileError('MOUNT_READ_ONLY', { path: kept, mount: keptOutputsPath });
    }
    return change();
  };
  return {
    mounts: () => files.mounts(),
    stat: (path) => files.stat(path),
    list: (path, page) => files.list(path, page),
    read: (path, range) => files.read(path, range),
    write: (path, data, guard) => changing([path], () => files.write(path, data, guard)),
    edit: (path, edit) => changing([path], () => files.edit(path, edit)),
    makeDirectory: (path) => changing([path], () => files.makeDirectory(path)),
    delete: (path, options) => changing([path], () => files.delete(path, options)),
    move: (fromPath, toPath) => changing([fromPath, toPath], () => files.move(fromPath, toPath)),
    glob: (query) => files.glob(query),
    grep: (query) => files.grep(query),
  };
}

/** Reads a path as the file service does: `.` and empty segments are nothing. */
function isKept(path: string): boolean {
  const [first] = path
    .normalize('NFC')
    .split('/')
    .filter((segment) => segment !== '' && segment !== '.');
  return `/${first}` === keptOutputsPath;
}
