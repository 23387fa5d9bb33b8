import type { ToolSource } from '../../domain/tool/tool-source.ts';
import type { ToolServer } from '../servers/tool-server.ts';
import { McpSource, type McpSourceDeps } from './mcp-source.ts';

export type McpServersDeps = Omit<McpSourceDeps, 'server'>;

interface Known {
  readonly settings: string;
  readonly source: McpSource;
}

const idlePollMs = 200;

/** The MCP servers of this host, as their file has them at the moment. */
export class McpServers implements AsyncDisposable {
  readonly #deps: McpServersDeps;
  #known: ReadonlyMap<string, Known> = new Map();
  readonly #retiring = new Set<Promise<void>>();
  #isOver = false;

  constructor(deps: McpServersDeps) {
    this.#deps = deps;
  }

  sources(): readonly ToolSource[] {
    return [...this.#known.values()].map(({ source }) => source);
  }

  /** Takes servers up, leaves those alone that are as they were, and lets others go when their calls have ended. */
  follow(servers: readonly ToolServer[]): void {
    if (this.#isOver) {
      return;
    }
    const before = this.#known;
    const now = servers.map((server): [string, Known] => {
      const settings = JSON.stringify(server);
      const known = before.get(server.name);
      const isSame = known?.settings === settings;
      return [server.name, isSame ? known : { settings, source: new McpSource({ ...this.#deps, server }).start() }];
    });
    this.#known = new Map(now);
    for (const [name, { source }] of before) {
      if (this.#known.get(name)?.source !== source) {
        this.#retire(source);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await Promise.all([...this.#known.values()].map(({ source }) => source[Symbol.asyncDispose]()));
    await Promise.all(this.#retiring);
  }

  #retire(source: McpSource): void {
    const gone = (async () => {
      while (source.isBusy && !this.#isOver) {
        await new Promise<void>((resolve) => void setTimeout(resolve, idlePollMs));
      }
      await source[Symbol.asyncDispose]();
    })();
    this.#retiring.add(gone);
    void gone.finally(() => this.#retiring.delete(gone));
  }
}
