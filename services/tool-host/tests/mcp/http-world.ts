import type { HttpServer, ToolServer } from '../../src/infrastructure/servers/tool-server.ts';
import { type Handler, type HttpServerOptions, ScriptedHttpServer, text } from './http-server.ts';
import { type BenchOptions, McpBench, toolServer } from './mcp-bench.ts';

export interface World {
  readonly server: ScriptedHttpServer;
  readonly bench: McpBench;
}

export interface WorldOptions {
  readonly facts?: Partial<ToolServer>;
  readonly auth?: HttpServer['auth'];
  readonly bench?: BenchOptions;
}

/** Scripted servers at addresses, each known as `web` to a bench of its own. */
export class Worlds {
  #open: AsyncDisposable[] = [];

  async make(
    options: HttpServerOptions = {},
    { facts, auth = { kind: 'none' }, bench: benchOptions }: WorldOptions = {},
  ): Promise<World> {
    const server = await new ScriptedHttpServer(options).start();
    const bench = new McpBench([toolServer('web', { kind: 'mcp-http', url: server.url, auth }, facts)], benchOptions);
    this.#open.push(server, bench);
    return { server, bench };
  }

  async endAll(): Promise<void> {
    for (const each of this.#open.reverse()) {
      await each[Symbol.asyncDispose]();
    }
    this.#open = [];
  }
}

export const echo: Handler = ({ message }) => text(`echo: ${JSON.stringify(message.params?.arguments)}`);
