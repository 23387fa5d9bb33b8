import { setTimeout as delay } from 'node:timers/promises';
import type { CallLog, InterruptAnswer, Tool } from '@spanwise/tool-kit/contract';
import type { CallFrame, ToolCall } from '../../src/domain/tool/tool-call.ts';
import type { ConnectionTimes } from '../../src/infrastructure/mcp/mcp-connections.ts';
import { McpServers } from '../../src/infrastructure/mcp/mcp-servers.ts';
import { InMemoryRemoteQuestions } from '../../src/infrastructure/mcp/remote-questions.ts';
import { InMemoryToolPins } from '../../src/infrastructure/mcp/tool-pins.ts';
import type { StdioServer, ToolServer } from '../../src/infrastructure/servers/tool-server.ts';
import { ann, benchClock, ToolBench, toolCall } from '../tool-calls.ts';

/** Times that let a test see in a second what takes minutes. */
const times: ConnectionTimes = {
  connectMs: 10_000,
  probeMs: 2000,
  backoffMs: 50,
  maxBackoffMs: 400,
  idleMs: 300,
  waitMs: 5000,
  relistMs: 60_000,
};

/** A server with the settings of a file that says nothing but where it is; its tools need no approval. */
export function toolServer(
  name: string,
  connection: ToolServer['connection'],
  facts: Partial<ToolServer> = {},
): ToolServer {
  return {
    ...{ name, connection, effects: {}, trustsAnnotations: false, tools: { allow: ['*'], deny: [] } },
    ...{ defaultDecision: 'allow', timeoutMs: 10_000, outputBytes: 50 * 1024, pin: 'first_seen', pinned: {}, ...facts },
  };
}

/** A program of Node. */
export function nodeProgram(
  file: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): StdioServer {
  return { kind: 'mcp-stdio', command: process.execPath, args: [file, ...args], env };
}

export interface BenchOptions {
  readonly times?: Partial<ConnectionTimes>;
  readonly pins?: InMemoryToolPins;
  readonly questions?: InMemoryRemoteQuestions;
}

/** Calls of tools of MCP servers, with a ledger in memory. */
export class McpBench implements AsyncDisposable {
  readonly bench: ToolBench;
  readonly servers: McpServers;
  /** Lines of the log of servers: message and facts. */
  readonly logged: string[] = [];
  #ids = 0;

  constructor(servers: readonly ToolServer[], options: BenchOptions = {}) {
    this.bench = new ToolBench([], undefined, undefined, () => this.servers.sources());
    const at = (facts: object, message: string) => void this.logged.push(`${message} ${JSON.stringify(facts)}`);
    const log: CallLog = { debug: at, info: at, warn: at, error: at };
    this.servers = new McpServers({
      ...{ log, clock: benchClock, random: () => 0.5, callers: this.bench.callers, path: process.env.PATH ?? '' },
      times: { ...times, ...options.times },
      pins: options.pins ?? new InMemoryToolPins(),
      questions: options.questions ?? new InMemoryRemoteQuestions(),
      fetchFor: () => fetch,
    });
    this.servers.follow(servers);
  }

  tools(uid = ann.uid): readonly Tool[] {
    return this.servers.sources().flatMap((source) => source.tools(uid));
  }

  names(): readonly string[] {
    return this.tools().map(({ name }) => name);
  }

  /** Waits until tools are offered that fit, at first any. */
  async listed(isFit: (names: readonly string[]) => boolean = (names) => names.length > 0): Promise<readonly string[]> {
    await until(() => isFit(this.names()));
    return this.names();
  }

  /** The last frame of a call under an id of its own, unless the facts have one. */
  async last(tool: string, input: unknown = {}, facts: Partial<ToolCall> = {}): Promise<CallFrame> {
    const frames = await this.frames(tool, input, facts);
    const last = frames.at(-1);
    if (last === undefined) {
      throw new TypeError('there are no frames');
    }
    return last;
  }

  async frames(tool: string, input: unknown = {}, facts: Partial<ToolCall> = {}): Promise<readonly CallFrame[]> {
    return this.bench.frames(tool, input, { callId: this.newId(), ...facts });
  }

  newId(): ToolCall['callId'] {
    this.#ids += 1;
    return `call-${this.#ids}` as ToolCall['callId'];
  }

  /** Outcome and text of a call that comes to an end. */
  async told(tool: string, input: unknown = {}, facts: Partial<ToolCall> = {}): Promise<string> {
    const last = await this.last(tool, input, facts);
    return last.type === 'result' ? `${last.result.outcome}: ${last.result.text}` : last.type;
  }

  /** Begins a call that goes on until it is stopped; what it threw. */
  begin(tool: string, input: unknown, facts: Partial<ToolCall> = {}): { stop: () => void; ended: Promise<unknown> } {
    const caller = new AbortController();
    const call = toolCall(tool, input, { callId: this.newId(), ...facts });
    const ended = (async () => {
      for await (const frame of this.bench.execute(call, caller.signal)) {
        void frame;
      }
    })().catch((error: unknown) => error);
    return { stop: () => caller.abort(new Error('stopped')), ended };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.servers[Symbol.asyncDispose]();
  }
}

/** The answer of the user to what a call waits for. */
export function answerTo(frame: CallFrame, value: unknown): InterruptAnswer {
  if (frame.type !== 'suspended') {
    throw new TypeError(`the call does not wait: ${JSON.stringify(frame)}`);
  }
  return { interruptId: frame.interrupt.id, answerJson: JSON.stringify(value), isExpired: false, answeredBy: 'ann' };
}

export async function until(isSo: () => boolean, limitMs = 15_000): Promise<void> {
  const end = performance.now() + limitMs;
  while (!isSo()) {
    if (performance.now() > end) {
      throw new Error('it has not come to be');
    }
    await delay(10);
  }
}

/** True while a process is there, and no zombie. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
