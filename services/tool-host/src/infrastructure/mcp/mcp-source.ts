import type { FetchLike, Transport } from '@modelcontextprotocol/client';
import type { Clock, DomainError, Uid } from '@spanwise/kernel';
import type { CallLog, Tool, ToolContext } from '@spanwise/tool-kit/contract';
import type { Callers } from '../../domain/tool/callers.ts';
import type { Caller } from '../../domain/tool/tool-call.ts';
import { isToolSignInNeeded, toolChanged, toolSignInNeeded, toolUnavailable } from '../../domain/tool/tool-errors.ts';
import type { ToolSource } from '../../domain/tool/tool-source.ts';
import type { ToolServer } from '../servers/tool-server.ts';
import { CallTurns } from './call-turns.ts';
import { HttpTransport } from './http-transport.ts';
import { McpConnection } from './mcp-connection.ts';
import { type ConnectionTimes, McpConnections } from './mcp-connections.ts';
import type { RemoteQuestions } from './remote-questions.ts';
import { SchemaCompiler } from './remote-schema.ts';
import { remoteTool } from './remote-tool.ts';
import { StdioTransport } from './stdio-transport.ts';
import { Timers } from './timers.ts';
import { ToolListings } from './tool-listings.ts';
import type { ToolPins } from './tool-pins.ts';

export interface McpSourceDeps {
  readonly server: ToolServer;
  readonly times: ConnectionTimes;
  readonly clock: Clock;
  /** 0 to 1. */
  readonly random: () => number;
  readonly log: CallLog;
  readonly pins: ToolPins;
  readonly questions: RemoteQuestions;
  readonly callers: Callers;
  /** A `fetch` that reaches this server; one for each connection. */
  readonly fetchFor: (url: string, timeoutMs: number) => FetchLike;
  /** `PATH` of programs. */
  readonly path: string;
}

const everyone = '';
/** How long a user waits for what a server offers them. */
const prepareMs = 3000;

/**
 * The tools of one MCP server. Where the server takes the token of the user there is a connection, and a list of tools, for
 * each; else one for all, which is made again by itself when it is lost. What was listed stays offered while the server is
 * away: calls are then answered TOOL_UNAVAILABLE.
 */
export class McpSource implements ToolSource, AsyncDisposable {
  readonly name: string;
  readonly #deps: McpSourceDeps;
  readonly #connections: McpConnections;
  readonly #listings: ToolListings;
  readonly isPerUser: boolean;
  readonly #tokens = new Map<string, string>();
  /** Whose token the server did not take, so that it is not known what it offers to them. */
  readonly #refused = new Set<string>();
  readonly #stop = new AbortController();
  readonly #timers = new Timers();
  readonly #turns = new CallTurns();

  constructor(deps: McpSourceDeps) {
    const { server, times, clock, random, log, pins, questions } = deps;
    this.#deps = deps;
    this.name = server.name;
    this.isPerUser = server.connection.kind === 'mcp-http' && server.connection.auth.kind === 'forward_user';
    this.#connections = new McpConnections({
      ...{ server: server.name, times, clock, random, log },
      open: (key, onClosed, signal) => this.#open(key, onClosed, signal),
      onOpened: (key) => void this.#listings.read(key),
      onAway: (key) => this.#comeBack(key),
    });
    const compiler = new SchemaCompiler();
    const remote = {
      ...{ server: server.name, sendsUserToken: this.isPerUser, questions, compiler, clock, turns: this.#turns },
      connect: (context: ToolContext) => this.#connectFor(context),
      drop: (lost: McpConnection) => this.#connections.drop(lost),
    };
    this.#listings = new ToolListings({
      ...{ server, times, log, pins, compiler, timers: this.#timers, signal: this.#stop.signal },
      connectionOf: (key) => this.#connections.peek(key),
      toTool: (listed) => remoteTool(server, listed, remote),
    });
  }

  /** Begins to connect, and waits for nothing. */
  start(): this {
    if (!this.isPerUser) {
      this.#connect(everyone);
    }
    this.#timers.every(this.#deps.times.relistMs, () => {
      void this.#connections.closeIdle().then(() => {
        const open = this.#connections.openKeys();
        this.#refused.clear();
        open.forEach((key) => void this.#listings.read(key));
        [...this.#tokens.keys()].filter((key) => !open.includes(key)).forEach((key) => this.#tokens.delete(key));
      });
    });
    return this;
  }

  tools(uid: Uid): readonly Tool[] {
    return this.#listings.get(this.#keyOf(uid))?.tools ?? [];
  }

  refusalOf(name: string, uid: Uid): DomainError | undefined {
    const listing = this.#listings.get(this.#keyOf(uid));
    if (listing === undefined) {
      return this.#refused.has(this.#keyOf(uid)) ? toolSignInNeeded(this.name) : toolUnavailable(this.name);
    }
    return listing.changed.has(name) ? toolChanged(name, this.name) : undefined;
  }

  async prepare({ uid, token }: Caller, signal: AbortSignal): Promise<void> {
    const key = this.#keyOf(uid);
    if (!this.isPerUser || token === '') {
      return;
    }
    this.#tokens.set(key, token);
    if (this.#listings.get(key) === undefined) {
      const limit = AbortSignal.any([signal, this.#stop.signal, AbortSignal.timeout(prepareMs)]);
      // When it can not be had the tools are not there, and calls say why.
      this.#refused.delete(key);
      await this.#listFor(key, limit).catch((error: unknown) => {
        if (isToolSignInNeeded(error)) {
          this.#refused.add(key);
        }
      });
    }
  }

  /** True while calls are on their way. */
  get isBusy(): boolean {
    return this.#connections.isBusy;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(toolUnavailable(this.name));
    this.#timers[Symbol.dispose]();
    await this.#connections[Symbol.asyncDispose]();
  }

  #keyOf(uid: Uid): string {
    return this.isPerUser ? uid : everyone;
  }

  #open(key: string, onClosed: () => void, signal: AbortSignal): Promise<McpConnection> {
    const { times, server } = this.#deps;
    return McpConnection.open(
      {
        openTransport: () => this.#transport(key),
        connectTimeoutMs: times.connectMs,
        probeTimeoutMs: server.connection.kind === 'mcp-stdio' ? times.probeMs : times.connectMs,
        onToolsChanged: () => this.#listings.readSoon(key),
        onClosed,
        onAmbiguous: () => this.#turns.oneByOne(),
        onUncertain: (connection) => this.#connections.drop(connection),
      },
      signal,
    );
  }

  #transport(key: string): Transport {
    const { server, fetchFor, path, log } = this.#deps;
    const { connection } = server;
    if (connection.kind === 'mcp-stdio') {
      return new StdioTransport({ server: connection, path, log });
    }
    const { url, auth } = connection;
    const fetch = fetchFor(url, server.timeoutMs);
    switch (auth.kind) {
      case 'forward_user':
        return new HttpTransport({ url, fetch, token: () => this.#tokens.get(key) });
      case 'bearer':
        return new HttpTransport({ url, fetch, token: () => auth.token });
      default:
        return new HttpTransport({ url, fetch, token: () => undefined });
    }
  }

  async #connectFor(context: ToolContext): Promise<McpConnection> {
    const key = this.#keyOf(context.call.uid);
    if (this.isPerUser) {
      const token = this.#deps.callers.of(context.call)?.token ?? '';
      if (token === '') {
        throw toolSignInNeeded(this.name);
      }
      this.#tokens.set(key, token);
    }
    return this.#connections.get(key, context.signal);
  }

  async #listFor(key: string, signal: AbortSignal): Promise<void> {
    await this.#connections.get(key, signal);
    await Promise.race([this.#listings.settled(key), aborted(signal)]);
  }

  /** The one for all is made again by itself; those of users with their next call. */
  #comeBack(key: string): void {
    if (!this.isPerUser) {
      this.#timers.later(this.#connections.waitOf(key), () => this.#connect(key));
    }
  }

  #connect(key: string): void {
    if (this.#connections.waitOf(key) > 0) {
      // A timer may be a little early.
      this.#comeBack(key);
      return;
    }
    this.#connections.get(key, this.#stop.signal).catch(() => undefined);
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (signal.aborted) {
      resolve();
    }
  });
}
