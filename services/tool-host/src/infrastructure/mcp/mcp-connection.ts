import {
  Client,
  type ElicitRequest,
  type ElicitResult,
  type Tool as ServerTool,
  type Transport,
} from '@modelcontextprotocol/client';
import { invariantBroken } from '@spanwise/kernel';
import type { ToolProgress } from '@spanwise/tool-kit/contract';

export interface McpConnectionOptions {
  /** A transport that was not started. Asked for another one when the first did not outlive the question for its revision. */
  readonly openTransport: () => Transport;
  /** For the server to answer what revisions it speaks, and then the handshake. */
  readonly connectTimeoutMs: number;
  /** After which silence a program is taken for one of an older revision. */
  readonly probeTimeoutMs: number;
  readonly onToolsChanged: () => void;
  /** Told once, when the connection is lost or closed. */
  readonly onClosed: () => void;
  /** Told when a question came that may belong to any of several calls: from now on there should be one at a time. */
  readonly onAmbiguous: () => void;
  /** Told when questions may come that belong to a call that is over: the connection should be given up. */
  readonly onUncertain: (connection: McpConnection) => void;
}

/** A call as it is sent. */
export interface RemoteRequest {
  readonly tool: ServerTool;
  readonly input: unknown;
  readonly timeoutMs: number;
  /** W3C: the span of the call. */
  readonly traceparent: string;
  /** What the server wants back since revision 2026-07-28: the answers of the user, and a text of its own. */
  readonly continuation: RemoteContinuation;
  readonly onProgress: (progress: ToolProgress) => void;
  /** Asked when the server asks for the user midway, as revisions before 2026-07-28 do. */
  readonly elicit: (params: ElicitRequest['params']) => Promise<ElicitResult>;
}

export interface RemoteContinuation {
  readonly inputResponses?: Readonly<Record<string, ElicitResult>>;
  readonly requestState?: string;
}

/** Pages of a list of tools. */
const maxPages = 16;
/** One connection to a server, for one user or for all. Never opened again once it is closed. */
export class McpConnection {
  readonly #client: Client;
  readonly #transport: Transport;
  readonly #deps: McpConnectionOptions;
  readonly #inFlight = new Set<RemoteRequest>();
  #hasAsked = false;
  #hasAbandoned = false;
  readonly #gone = Promise.withResolvers<void>();
  #closing: Promise<void> | undefined;
  #isClosed = false;
  #isRetired = false;

  private constructor(client: Client, transport: Transport, deps: McpConnectionOptions) {
    this.#client = client;
    this.#transport = transport;
    this.#deps = deps;
  }

  /** Throws what the transport and the SDK do, and the reason of `signal`. */
  static async open(options: McpConnectionOptions, signal: AbortSignal): Promise<McpConnection> {
    try {
      return await McpConnection.#try(options, signal, 'auto');
    } catch (error) {
      signal.throwIfAborted();
      // Some programs end when they are asked what revisions they speak: they speak an old one.
      if (error instanceof Error && /closed during the server\/discover probe/.test(error.message)) {
        return McpConnection.#try(options, signal, 'legacy');
      }
      throw error;
    }
  }

  static async #try(
    options: McpConnectionOptions,
    signal: AbortSignal,
    mode: 'auto' | 'legacy',
  ): Promise<McpConnection> {
    signal.throwIfAborted();
    const client = new Client(
      { name: 'spanwise-tool-host', version: '0.1.0' },
      {
        capabilities: { elicitation: { form: {} } },
        versionNegotiation: { mode, probe: { timeoutMs: options.probeTimeoutMs } },
        inputRequired: { autoFulfill: false },
        listMaxPages: maxPages,
        listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged: () => options.onToolsChanged() } },
      },
    );
    const transport = options.openTransport();
    const connection = new McpConnection(client, transport, options);
    client.setRequestHandler('elicitation/create', ({ params }) => connection.#elicit(params));
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      await Promise.race([client.connect(transport, { timeout: options.connectTimeoutMs, signal }), aborted]);
    } catch (error) {
      await transport.close().catch(() => undefined);
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
    // A client is no EventTarget: this is how it tells.
    const onclose = () => {
      connection.#isClosed = true;
      options.onClosed();
    };
    Object.assign(client, { onclose });
    if (client.transport === undefined) {
      // It was lost while nobody listened.
      throw invariantBroken('the connection was lost as it was made');
    }
    return connection;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** True while calls are on their way. */
  get isBusy(): boolean {
    return this.#inFlight.size > 0;
  }

  /** All tools of the server; none when it says that it has none. */
  async listTools(timeoutMs: number, signal: AbortSignal): Promise<readonly ServerTool[]> {
    if (this.#client.getServerCapabilities()?.tools === undefined) {
      return [];
    }
    return (await this.#client.listTools(undefined, { cacheMode: 'bypass', timeout: timeoutMs, signal })).tools;
  }

  /** Closes it as soon as no call is on its way: one that is lost says nothing about the others. */
  retire(): void {
    this.#isRetired = true;
    if (!this.isBusy) {
      void this.close();
    }
  }

  /** Resolves when it was closed and nothing of it is left. */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  /** Resolves when nothing of it is left, also when it was lost before. */
  close(): Promise<void> {
    this.#isClosed = true;
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    await this.#client.close().catch(() => undefined);
    // The client has let go of one that was lost.
    await this.#transport.close().catch(() => undefined);
    this.#gone.resolve();
  }

  /** What the server answers: a result, or what it wants to know first. Throws what the SDK does. */
  async call(request: RemoteRequest, signal: AbortSignal): Promise<unknown> {
    signal.throwIfAborted();
    const { tool, input, traceparent, continuation } = request;
    const { outputSchema: _, ...toolDefinition } = tool;
    this.#inFlight.add(request);
    try {
      return await this.#client.callTool(
        {
          name: tool.name,
          arguments: input as Record<string, unknown>,
          ...continuation,
          _meta: { traceparent },
        },
        // Our own signal is what ends it: the SDK has one error for both, and ours tells why.
        {
          signal,
          timeout: request.timeoutMs,
          toolDefinition,
          allowInputRequired: true,
          onprogress: ({ progress, total, message }) =>
            request.onProgress({
              done: progress,
              ...(total === undefined ? {} : { total }),
              ...(message === undefined ? {} : { message }),
            }),
        },
      );
    } finally {
      this.#inFlight.delete(request);
      if (signal.aborted) {
        this.#abandon();
      }
      if (this.#isRetired) {
        this.retire();
      }
    }
  }

  /** A call was given up, and its server may not have noticed. */
  #abandon(): void {
    this.#hasAbandoned = true;
    if (this.#hasAsked) {
      this.#deps.onUncertain(this);
    }
  }

  /**
   * Before 2026-07-28 a server does not say for which call it asks. When several go on it is told that nobody answers, and from
   * then on has one call at a time; when one was given up, it may be that one that it asks for. Nobody is asked a question of
   * somebody else.
   */
  async #elicit(params: ElicitRequest['params']): Promise<ElicitResult> {
    const [request, ...others] = this.#inFlight;
    this.#hasAsked = true;
    if (this.#hasAbandoned) {
      this.#deps.onUncertain(this);
    }
    if (others.length > 0) {
      this.#deps.onAmbiguous();
    }
    if (request === undefined || others.length > 0 || this.#hasAbandoned) {
      return { action: 'cancel' };
    }
    return request.elicit(params);
  }
}
