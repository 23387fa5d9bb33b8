import type { RunId } from '@spanwise/kernel';
import type { OutputLog, OutputPageRequest } from '../../domain/output/output-log.ts';
import { compareNames } from '../../domain/path/name-order.ts';
import type { VirtualPath } from '../../domain/path/virtual-path.ts';

/** The output log of one process; for tests. */
export class InMemoryOutputLog implements OutputLog {
  readonly #paths = new Map<RunId, Map<string, VirtualPath>>();

  async add(viewId: RunId, paths: readonly VirtualPath[]): Promise<void> {
    this.#paths.set(viewId, new Map([...this.#of(viewId), ...paths.map((path) => [path.text, path] as const)]));
  }

  async forget(viewId: RunId, path: VirtualPath): Promise<void> {
    this.#paths.set(viewId, new Map([...this.#of(viewId)].filter(([, each]) => !each.isWithin(path))));
  }

  async forgetViews(viewIds: readonly RunId[]): Promise<void> {
    for (const viewId of viewIds) {
      this.#paths.delete(viewId);
    }
  }

  async list(viewId: RunId, { after, limit }: OutputPageRequest): Promise<readonly VirtualPath[]> {
    return [...this.#of(viewId).values()]
      .filter(({ text }) => after === '' || compareNames(text, after) > 0)
      .toSorted((left, right) => compareNames(left.text, right.text))
      .slice(0, limit);
  }

  #of(viewId: RunId): Map<string, VirtualPath> {
    return this.#paths.get(viewId) ?? new Map();
  }
}
