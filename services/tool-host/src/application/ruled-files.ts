import type { Files, ToolPolicy } from '@spanwise/tool-kit/contract';
import { pathDenied } from '../domain/policy/policy-errors.ts';
import { pathRules } from '../domain/policy/tool-policy.ts';

/**
 * The files that a command gets: what it touches is known only as it does so, so the rules for reading and writing paths are
 * asked with each operation. Throws TOOL_DENIED besides what the files throw. Names in a directory that may be listed are told.
 */
export function ruledFiles(files: Files, policy: ToolPolicy): Files {
  const refusalOf = pathRules(policy);
  const assertMay = (access: 'read' | 'write', path: string, isTree = false) => {
    const rule = refusalOf({ kind: 'path', value: path, access, isTree });
    if (rule !== undefined) {
      throw pathDenied(path, access, rule);
    }
  };

  function ruled<Result>(
    access: 'read' | 'write',
    paths: readonly string[],
    operate: () => Promise<Result>,
    isTree = false,
  ): Promise<Result> {
    return (async () => {
      paths.forEach((path) => assertMay(access, path, isTree));
      return operate();
    })();
  }

  return {
    mounts: () => files.mounts(),
    stat: (path) => files.stat(path),
    list: (path, page) => files.list(path, page),
    read: (path, range) => ruled('read', [path], () => files.read(path, range)),
    write: (path, data, guard) => ruled('write', [path], () => files.write(path, data, guard)),
    edit: (path, edit) => ruled('write', [path], () => ruled('read', [path], () => files.edit(path, edit))),
    makeDirectory: (path) => ruled('write', [path], () => files.makeDirectory(path)),
    delete: (path, options) => ruled('write', [path], () => files.delete(path, options), options.isRecursive),
    // What is read at the new place must not be what was not to be read at the old one.
    move: (from, to) => ruled('read', [from], () => ruled('write', [from, to], () => files.move(from, to), true), true),
    glob: (query) => files.glob(query),
    async *grep(query) {
      assertMay('read', query.path, true);
      yield* files.grep(query);
    },
  };
}
