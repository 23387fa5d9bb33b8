import type { Files } from '@spanwise/tool-kit/contract';
import type { FileCall, RunFiles } from '../src/application/ports/run-files.ts';
import { fileError } from '../src/domain/files/file-errors.ts';
import type { InMemoryFiles } from './in-memory-files.ts';

/**
 * Files that keep what they answered to each key, as the file service does: the same request again changes nothing, another
 * one is IDEMPOTENCY_KEY_REUSED. `crashAfter` changes the process is gone: nothing is answered any more.
 */
export class KeyedFiles implements RunFiles {
  crashAfter = Number.POSITIVE_INFINITY;
  readonly #files: InMemoryFiles;
  readonly #kept = new Map<string, { readonly request: string; readonly answer: unknown }>();
  #changes = 0;

  constructor(files: InMemoryFiles) {
    this.#files = files;
  }

  bind(call: FileCall): Files {
    const files = this.#files.bind(call);
    const once = <Answer>(name: string, request: readonly unknown[], change: () => Promise<Answer>) =>
      this.#once(call.idempotencyKey, JSON.stringify([name, ...request]), change);
    return {
      ...{ mounts: () => files.mounts(), stat: (path) => files.stat(path), glob: (query) => files.glob(query) },
      ...{ list: (path, page) => files.list(path, page), read: (path, range) => files.read(path, range) },
      grep: (query) => files.grep(query),
      write: (path, data, guard) => once('write', [path, [...data], guard], () => files.write(path, data, guard)),
      edit: (path, edit) => once('edit', [path, edit], () => files.edit(path, edit)),
      makeDirectory: (path) => once('mkdir', [path], () => files.makeDirectory(path)),
      delete: (path, options) => once('delete', [path, options], () => files.delete(path, options)),
      move: (from, to) => once('move', [from, to], () => files.move(from, to)),
    };
  }

  async #once<Answer>(key: string, request: string, change: () => Promise<Answer>): Promise<Answer> {
    const kept = this.#kept.get(key);
    if (kept !== undefined && kept.request !== request) {
      throw fileError('IDEMPOTENCY_KEY_REUSED', {});
    }
    const answer = kept === undefined ? await change() : (kept.answer as Answer);
    this.#kept.set(key, { request, answer });
    this.#changes += 1;
    return this.#changes > this.crashAfter ? new Promise(() => undefined) : answer;
  }
}
