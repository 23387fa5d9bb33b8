import { invariantBroken, type Uid } from '@spanwise/kernel';
import type { Tool } from '@spanwise/tool-kit/contract';
import type { Caller } from './tool-call.ts';
import { toolNotFound } from './tool-errors.ts';
import { noToolSources, type ToolSource, type ToolSources } from './tool-source.ts';

/** What providers of models accept as the name of a function. */
const namePattern = /^[a-zA-Z0-9_-]{1,64}$/;

/** The tools of this host, by name: its own, and those of the servers that it knows. */
export class ToolCatalog {
  readonly #own: ReadonlyMap<string, Tool>;
  readonly #sources: ToolSources;

  /** Throws when two tools have one name, or a name that model providers refuse. */
  constructor(tools: readonly Tool[], sources: ToolSources = noToolSources) {
    this.#own = new Map(tools.map((tool) => [tool.name, tool]));
    this.#sources = sources;
    const misnamed = tools.find(({ name }) => !namePattern.test(name));
    if (misnamed !== undefined || this.#own.size !== tools.length) {
      throw invariantBroken(misnamed === undefined ? 'two tools have one name' : `bad tool name ${misnamed.name}`);
    }
  }

  /** All that a user may be offered, by name. A server can not take the name of a tool that is there, nor one that models refuse. */
  list(uid: Uid): readonly Tool[] {
    const all = new Map(this.#own);
    for (const tool of this.#sources().flatMap((source) => source.tools(uid))) {
      if (namePattern.test(tool.name) && !all.has(tool.name)) {
        all.set(tool.name, tool);
      }
    }
    return [...all.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /**
   * The tool of that name. Throws TOOL_NOT_FOUND with the names that exist, and TOOL_UNAVAILABLE and TOOL_CHANGED for one
   * whose server is away or describes it otherwise.
   */
  require(name: string, uid: Uid): Tool {
    const tool = this.#own.get(name) ?? this.#ofSources(name, uid);
    if (tool === undefined) {
      const known = this.list(uid).map((each) => each.name);
      throw this.#sourceOf(name)?.refusalOf?.(name, uid) ?? toolNotFound(name, known);
    }
    return tool;
  }

  /** Lets the servers that show their tools to a user only get to know what this one is shown: all of them, or that of a tool. */
  async prepare(caller: Caller, signal: AbortSignal, name?: string): Promise<void> {
    const sources = name === undefined ? this.#sources() : [this.#sourceOf(name)];
    await Promise.all(sources.flatMap((source) => source?.prepare?.(caller, signal) ?? []));
  }

  /** Whether another user may be offered other tools. */
  get isPerUser(): boolean {
    return this.#sources().some((source) => source.isPerUser === true);
  }

  has(name: string, uid: Uid): boolean {
    return this.#own.has(name) || this.#ofSources(name, uid) !== undefined;
  }

  #ofSources(name: string, uid: Uid): Tool | undefined {
    const isFit = namePattern.test(name);
    return isFit
      ? this.#sourceOf(name)
          ?.tools(uid)
          .find((each) => each.name === name)
      : undefined;
  }

  #sourceOf(name: string): ToolSource | undefined {
    return this.#sources().find((source) => name.startsWith(`${source.name}__`));
  }
}
