import type { CallLog, Tool } from '@spanwise/tool-kit/contract';
import type { ToolServer } from '../servers/tool-server.ts';
import { errorFacts } from './error-facts.ts';
import { judgePins } from './judge-pins.ts';
import { type ListedTool, readTools, type UnfitTool } from './listed-tool.ts';
import type { McpConnection } from './mcp-connection.ts';
import type { ConnectionTimes } from './mcp-connections.ts';
import type { SchemaCompiler } from './remote-schema.ts';
import type { Timers } from './timers.ts';
import type { ToolPins } from './tool-pins.ts';

/** What is known of the tools of a server, for one user or for all. */
export interface Listing {
  readonly tools: readonly Tool[];
  /** What is not offered because it has changed, by the names that models know. */
  readonly changed: ReadonlySet<string>;
}

export interface ToolListingsDeps {
  readonly server: ToolServer;
  readonly times: ConnectionTimes;
  readonly log: CallLog;
  readonly pins: ToolPins;
  readonly compiler: SchemaCompiler;
  readonly timers: Timers;
  readonly signal: AbortSignal;
  /** The connection that there is now. */
  readonly connectionOf: (key: string) => McpConnection | undefined;
  readonly toTool: (listed: ListedTool) => Tool;
}

/** Users whose lists are kept. */
const maxListings = 1000;
/** How long changes of a list are waited for before it is read. */
const settleMs = 200;
/** Of what can not be offered. */
const maxTold = 20;

/** The lists of tools of one server, by whom they are for. They are kept while the server is away. */
export class ToolListings {
  readonly #deps: ToolListingsDeps;
  readonly #listings = new Map<string, Listing>();
  readonly #running = new Map<string, Promise<void>>();
  /** Whose list is to be read soon. */
  readonly #changed = new Set<string>();
  #told = '';
  #failures = 0;

  constructor(deps: ToolListingsDeps) {
    this.#deps = deps;
  }

  /** Undefined until a list was read. */
  get(key: string): Listing | undefined {
    return this.#listings.get(key);
  }

  /** Resolves when the list that is being read was, if any is. */
  async settled(key: string): Promise<void> {
    await this.#running.get(key);
  }

  /** Servers may tell of many changes at once, or of one again and again. */
  readSoon(key: string): void {
    if (!this.#changed.has(key)) {
      this.#changed.add(key);
      this.#deps.timers.later(settleMs, () => {
        this.#changed.delete(key);
        void this.read(key);
      });
    }
  }

  /** Reads a list, one time after another; later again when that fails. Never throws. */
  read(key: string): Promise<void> {
    const before = this.#running.get(key) ?? Promise.resolve();
    const next = before
      .then(() => this.#read(key))
      .catch((error: unknown) => this.#failed(key, error))
      .finally(() => {
        if (this.#running.get(key) === next) {
          this.#running.delete(key);
        }
      });
    this.#running.set(key, next);
    return next;
  }

  async #read(key: string): Promise<void> {
    const { server, times, pins, compiler, signal, connectionOf, toTool } = this.#deps;
    // Without one it is read when there is one again.
    const described = await connectionOf(key)?.listTools(times.connectMs, signal);
    if (described === undefined || signal.aborted) {
      return;
    }
    const { tools, unfit } = await readTools(server, described, compiler);
    const { allowed, changed } = await judgePins(server, tools, pins);
    this.#tell(allowed, changed, unfit);
    this.#failures = 0;
    // The newest last: the oldest go.
    this.#listings.delete(key);
    this.#listings.set(key, { tools: allowed.map(toTool), changed: new Set(changed.map(({ name }) => name)) });
    const [oldest] = this.#listings.keys();
    if (this.#listings.size > maxListings && oldest !== undefined) {
      this.#listings.delete(oldest);
    }
  }

  #failed(key: string, error: unknown): void {
    const { server, times, log, timers, signal, connectionOf } = this.#deps;
    if (signal.aborted) {
      return;
    }
    log.warn({ server: server.name, ...errorFacts(error) }, 'mcp tools not listed');
    if (connectionOf(key) !== undefined) {
      this.#failures += 1;
      const pauseMs = Math.min(times.maxBackoffMs, times.backoffMs * 2 ** Math.min(this.#failures, 20));
      timers.later(pauseMs, () => void this.read(key));
    }
  }

  /** Once for each thing that there is to tell. */
  #tell(allowed: readonly ListedTool[], changed: readonly ListedTool[], unfit: readonly UnfitTool[]): void {
    const { server, log } = this.#deps;
    const hashes = changed.map(({ described, hash }) => ({ tool: described.name, hash }));
    const told = JSON.stringify([allowed.map(({ hash }) => hash), hashes, unfit]);
    if (told === this.#told) {
      return;
    }
    this.#told = told;
    log.info({ server: server.name, tools: allowed.length }, 'mcp tools listed');
    if (changed.length > 0) {
      log.warn(
        { server: server.name, changed: hashes },
        'mcp tools have changed: not offered until their hashes are pinned',
      );
    }
    if (unfit.length > 0) {
      log.warn({ server: server.name, unfit: unfit.slice(0, maxTold) }, 'mcp tools that can not be offered');
    }
  }
}
