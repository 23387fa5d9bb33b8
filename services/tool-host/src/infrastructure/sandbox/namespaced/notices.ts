import { excerpt } from '@spanwise/kernel';

const maxShown = 20;

/** What the model is told of paths that were left out, by reason: a few of each, and how many more. */
export class Notices {
  readonly #lines: string[] = [];
  readonly #paths = new Map<string, { shown: string[]; total: number }>();

  add(line: string): void {
    this.#lines.push(line);
  }

  /** `reason` is a whole sentence about several paths. */
  addPath(reason: string, path: string): void {
    const { shown, total } = this.#paths.get(reason) ?? { shown: [], total: 0 };
    if (shown.length < maxShown) {
      shown.push(/^[\w./@+=-]+$/.test(path) ? path : excerpt(path));
    }
    this.#paths.set(reason, { shown, total: total + 1 });
  }

  list(): readonly string[] {
    const grouped = [...this.#paths].map(([reason, { shown, total }]) => {
      const more = total > shown.length ? ` and ${total - shown.length} more` : '';
      return `${reason}: ${shown.join(', ')}${more}.`;
    });
    return [...this.#lines, ...grouped];
  }
}
