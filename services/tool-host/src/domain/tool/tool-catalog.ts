import { invariantBroken } from '@spanwise/kernel';
import type { Tool } from './tool.ts';
import { toolNotFound } from './tool-errors.ts';

/** What providers of models accept as the name of a function. */
const namePattern = /^[a-zA-Z0-9_-]{1,64}$/;

/** The tools of this host, by name. */
export class ToolCatalog {
  readonly #tools: ReadonlyMap<string, Tool>;

  /** Throws when two tools have one name, or a name that model providers refuse. */
  constructor(tools: readonly Tool[]) {
    const sorted = [...tools].sort((a, b) => (a.name < b.name ? -1 : 1));
    this.#tools = new Map(sorted.map((tool) => [tool.name, tool]));
    const misnamed = sorted.find(({ name }) => !namePattern.test(name));
    if (misnamed !== undefined || this.#tools.size !== tools.length) {
      throw invariantBroken(misnamed === undefined ? 'two tools have one name' : `bad tool name ${misnamed.name}`);
    }
  }

  /** All of them, by name. */
  list(): readonly Tool[] {
    return [...this.#tools.values()];
  }

  /** The tool of that name. Throws TOOL_NOT_FOUND with the names that exist. */
  require(name: string): Tool {
    const tool = this.#tools.get(name);
    if (tool === undefined) {
      throw toolNotFound(name, [...this.#tools.keys()]);
    }
    return tool;
  }
}
