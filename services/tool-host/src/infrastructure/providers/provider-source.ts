import { setTimeout as delay } from 'node:timers/promises';
import { equals } from '@bufbuild/protobuf';
import { type Client, createClient } from '@connectrpc/connect';
import {
  type ProvidedTool,
  ProvidedToolSchema,
  ToolProviderService,
} from '@spanwise/contracts/spanwise/tool/v1/provider';
import { type Clock, DomainError, type IdGenerator } from '@spanwise/kernel';
import { callOptions, type InternalTransport, toDomainError } from '@spanwise/service-kit';
import type { Logger } from '@spanwise/telemetry';
import type { Tool } from '@spanwise/tool-kit/contract';
import { toolUnavailable } from '../../domain/tool/tool-errors.ts';
import type { ToolSource } from '../../domain/tool/tool-source.ts';
import { toTool } from './provided-tool.ts';
import { ProviderCalls } from './provider-calls.ts';

export interface ProviderSourceDeps {
  /** Letters, digits and `-`; its tools are called `name__tool`. */
  readonly name: string;
  /** Disposed of with the source. */
  readonly transport: InternalTransport;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly ids: Pick<IdGenerator, 'spanId' | 'traceId'>;
  readonly logger: Logger;
  /** Between two looks at the list; default 10 s. */
  readonly refreshMs?: number;
}

interface OfferedTool {
  readonly listed: ProvidedTool;
  /** Undefined when it can not be offered. */
  readonly tool: Tool | undefined;
}

const maxTools = 128;
const listTimeoutMs = 5000;
const firstBackoffMs = 250;
const maxBackoffMs = 5000;

/**
 * The tools of a provider: a process of a team's own behind one address. Its list is looked at every 10 s, and with growing
 * pauses while it does not answer. What it has listed stays offered while it is away: calls then answer TOOL_UNAVAILABLE,
 * and work again as soon as it is back.
 */
export class ProviderSource implements ToolSource, Disposable {
  readonly name: string;
  readonly #deps: ProviderSourceDeps;
  readonly #client: Client<typeof ToolProviderService>;
  readonly #calls: ProviderCalls;
  readonly #stop = new AbortController();
  #offered: readonly OfferedTool[] = [];
  #tools: readonly Tool[] = [];
  /** Undefined until the first answer, or failure. */
  #isHere: boolean | undefined;
  #wasListed = false;
  #wake = new AbortController();

  constructor(deps: ProviderSourceDeps) {
    this.name = deps.name;
    this.#deps = deps;
    this.#client = createClient(ToolProviderService, deps.transport);
    this.#calls = new ProviderCalls({
      ...{ name: deps.name, client: this.#client, clock: deps.clock },
      onStale: () => this.#wake.abort(),
    });
  }

  /** Begins to look at the list; nobody has to wait for it. */
  start(): this {
    void this.#watch();
    return this;
  }

  tools(): readonly Tool[] {
    return this.#tools;
  }

  /** While nothing is known of it, any tool may be one of its own. */
  refusalOf(): DomainError | undefined {
    return this.#wasListed ? undefined : toolUnavailable(this.name);
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    this.#deps.transport[Symbol.dispose]();
  }

  async #watch(): Promise<void> {
    const { refreshMs = 10_000 } = this.#deps;
    const { signal } = this.#stop;
    for (let failures = 0; !signal.aborted; ) {
      this.#wake = new AbortController();
      failures = (await this.#refresh()) ? 0 : failures + 1;
      const pauseMs = failures === 0 ? refreshMs : Math.min(maxBackoffMs, firstBackoffMs * 2 ** (failures - 1));
      // Many hosts do not ask at the same moment.
      const either = AbortSignal.any([signal, this.#wake.signal]);
      await delay(pauseMs * (0.8 + Math.random() * 0.4), undefined, { signal: either, ref: false }).catch(
        () => undefined,
      );
    }
  }

  async #refresh(): Promise<boolean> {
    const { ids, logger, name: provider } = this.#deps;
    // Leaves no trace: it is asked again and again.
    const span = { span: { id: ids.spanId(), par: '' }, traceId: ids.traceId(), traceFlags: 0 };
    try {
      const options = { ...callOptions({ span }, this.#stop.signal), timeoutMs: listTimeoutMs };
      const { tools } = await this.#client.listTools({}, options);
      this.#offer(tools.slice(0, maxTools));
      if (this.#isHere !== true) {
        logger.info({ provider, tools: this.#tools.length }, 'tool provider is there');
      }
      this.#isHere = true;
      return true;
    } catch (error) {
      if (this.#isHere !== false && !this.#stop.signal.aborted) {
        logger.warn({ provider, reason: toDomainError(error).reason, err: error }, 'tool provider does not answer');
      }
      this.#isHere = false;
      return false;
    }
  }

  /** A tool that is listed as before stays the same object: its schema is not compiled again. */
  #offer(listed: readonly ProvidedTool[]): void {
    const known = new Map(this.#offered.map((each) => [each.listed.name, each]));
    const unique = [...new Map(listed.toReversed().map((each) => [each.name, each])).values()].reverse();
    this.#offered = unique.map((each) => {
      const before = known.get(each.name);
      const isSame = before !== undefined && equals(ProvidedToolSchema, before.listed, each);
      return isSame ? before : { listed: each, tool: this.#toolOf(each) };
    });
    this.#tools = this.#offered.flatMap(({ tool }) => (tool === undefined ? [] : [tool]));
    this.#wasListed = true;
  }

  #toolOf(listed: ProvidedTool): Tool | undefined {
    const { name: provider, logger } = this.#deps;
    try {
      const tool: Tool = toTool(provider, listed, (input, context) =>
        this.#calls.call(listed, tool.effect, input, context),
      );
      return tool;
    } catch (error) {
      const why = error instanceof DomainError ? error.message : String(error);
      logger.warn({ provider, tool: listed.name, why }, 'tool of a provider left out');
      return undefined;
    }
  }
}
