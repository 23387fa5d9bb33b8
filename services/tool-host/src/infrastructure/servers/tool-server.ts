import type { ToolEffect } from '@spanwise/tool-kit/contract';

/** A server whose tools are offered, as its operator describes it. */
export interface ToolServer {
  /** Lower-case letters, digits and hyphens. */
  readonly name: string;
  readonly connection: HttpServer | StdioServer;
  /** What its tools do, by their names there; `*` stands for anything. */
  readonly effects: Readonly<Record<string, ToolEffect>>;
  /** Whether `readOnlyHint` and `idempotentHint` of the server are believed where `effects` says nothing. */
  readonly trustsAnnotations: boolean;
  /** Names of tools there, where `*` stands for anything; a denied one is not offered, allowed or not. */
  readonly tools: { readonly allow: readonly string[]; readonly deny: readonly string[] };
  /** What becomes of calls that no rule of a policy matches. */
  readonly defaultDecision: 'allow' | 'ask';
  readonly timeoutMs: number;
  /** UTF-8 bytes of text that the model is shown of a result. */
  readonly outputBytes: number;
  /** What descriptions are compared with: those that were seen first, those of `pinned` only, or nothing. */
  readonly pin: 'first_seen' | 'file' | 'none';
  /** Hashes of descriptions that are allowed, by the names of the tools there. */
  readonly pinned: Readonly<Record<string, string>>;
}

/** A server at an address: Streamable HTTP. */
export interface HttpServer {
  readonly kind: 'mcp-http';
  readonly url: string;
  readonly auth:
    | { readonly kind: 'none' }
    /** A secret of this service. */
    | { readonly kind: 'bearer'; readonly token: string }
    /** The token of the user for whom the call is made: the server is asked for each user apart. */
    | { readonly kind: 'forward_user' };
}

/** A program that is started here, and spoken to over its standard input and output. */
export interface StdioServer {
  readonly kind: 'mcp-stdio';
  readonly command: string;
  readonly args: readonly string[];
  /** All that it gets of an environment, besides `PATH`. */
  readonly env: Readonly<Record<string, string>>;
}
