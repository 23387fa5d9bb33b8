import type { VirtualPath } from '../../../domain/path/virtual-path.ts';
import { untilAborted } from './until-aborted.ts';

interface Turn {
  readonly paths: readonly VirtualPath[];
  readonly ended: Promise<void>;
}

/** Changes of this process one after the other where their paths touch: the same, or one within the other. */
export class PathTurns {
  readonly #turns = new Set<Turn>();

  /** Does `work` after every change that has come before it and touches its paths. */
  async run<Result>(paths: readonly VirtualPath[], signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    signal.throwIfAborted();
    const before = [...this.#turns].filter((turn) => touch(turn.paths, paths)).map(({ ended }) => ended);
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const turn = { paths, ended };
    this.#turns.add(turn);
    try {
      await untilAborted(Promise.all(before), signal);
      return await work();
    } finally {
      this.#turns.delete(turn);
      end();
    }
  }
}

function touch(some: readonly VirtualPath[], others: readonly VirtualPath[]): boolean {
  return some.some((one) => others.some((other) => one.isWithin(other) || other.isWithin(one)));
}
