import { brandId, type CallId, type RunId, type SessionId, type SpanEvent, type Uid } from '@spanwise/kernel';
import { Telemetry } from '@spanwise/telemetry';
import { type CallLog, type Egress, noPolicy, type Tool } from '@spanwise/tool-kit/contract';
import { AuditCalls } from '../src/application/audit-calls.ts';
import { CallRecords } from '../src/application/call-records.ts';
import { CallSlots } from '../src/application/call-slots.ts';
import { ExecuteTool } from '../src/application/execute-tool.ts';
import { LiveCalls } from '../src/application/live-calls.ts';
import { WriteTurns } from '../src/application/write-turns.ts';
import type { Ledger } from '../src/domain/execution/ledger.ts';
import { ReadVersions } from '../src/domain/files/read-versions.ts';
import { Callers } from '../src/domain/tool/callers.ts';
import { noEgress } from '../src/domain/tool/no-egress.ts';
import type { Caller, CallFrame, ToolCall, ToolResult } from '../src/domain/tool/tool-call.ts';
import { ToolCatalog } from '../src/domain/tool/tool-catalog.ts';
import { noToolSources, type ToolSources } from '../src/domain/tool/tool-source.ts';
import { InMemoryAuditLog } from '../src/infrastructure/persistence/in-memory-audit-log.ts';
import { InMemoryInstanceRepository } from '../src/infrastructure/persistence/in-memory-instance-repository.ts';
import { InMemoryLedger } from '../src/infrastructure/persistence/in-memory-ledger.ts';
import { callMetrics } from '../src/infrastructure/telemetry/call-metrics.ts';
import { callSpans } from '../src/infrastructure/telemetry/call-spans.ts';
import { builtInTools } from '../src/infrastructure/tools/built-in-tools.ts';
import { InMemoryFiles } from './in-memory-files.ts';

export const ann: Caller = { uid: brandId<Uid>('ann'), email: 'ann@example.com', token: 'secret-of-ann' };

export const turnSpan = {
  span: { id: 'aaaaaaaaaaaaaaaa', par: 'bbbbbbbbbbbbbbbb' },
  traceId: '1'.repeat(32),
  traceFlags: 1,
};

/** A call of a tool; `argumentsJson` may be given as the value that is to be encoded. */
export function toolCall(tool: string, input: unknown, facts: Partial<ToolCall> = {}): ToolCall {
  return {
    caller: ann,
    sessionId: brandId<SessionId>('01920000-0000-7000-8000-000000000001'),
    runId: brandId<RunId>('01920000-0000-7000-8000-000000000002'),
    epoch: 1,
    callId: brandId<CallId>('01920000-0000-7000-8000-000000000003'),
    tool,
    argumentsJson: typeof input === 'string' ? input : JSON.stringify(input),
    span: turnSpan,
    timeoutMs: undefined,
    answer: undefined,
    policy: noPolicy,
    isInteractive: true,
    ...facts,
  };
}

/** What was told of a call that has ended. */
export interface ToldCall {
  readonly frames: readonly CallFrame[];
  readonly spans: readonly SpanEvent[];
  readonly result: ToolResult;
}

/** The database that several instances share. */
export interface SharedLedger {
  readonly instances: InMemoryInstanceRepository;
  readonly ledger: Ledger;
  readonly audit: InMemoryAuditLog;
}

/** A clock that stands still for records, and goes on for measuring. */
export const benchClock = { nowMs: () => 1_800_000_000_000, monotonicMs: () => performance.now() };

export function sharedLedger(): SharedLedger {
  const instances = new InMemoryInstanceRepository(benchClock);
  const audit = new InMemoryAuditLog(benchClock);
  return { instances, audit, ledger: new InMemoryLedger(instances, audit) };
}

let instanceCount = 0;

function newInstance() {
  const id = `instance-${++instanceCount}`;
  return { id, address: `http://${id}`, owns: (other: string) => other === id };
}

/** ExecuteTool on files and a ledger in memory, with known ids and a clock that stands still: one instance. */
export class ToolBench {
  readonly files = new InMemoryFiles();
  readonly live = new LiveCalls();
  readonly callers = new Callers();
  readonly records: CallRecords;
  readonly instance = newInstance();
  readonly shared: SharedLedger;
  /** Lines of the log: level and message. */
  readonly logged: string[] = [];
  readonly #executeTool: ExecuteTool;
  #spans = 0;
  #uuids = 0;

  constructor(
    tools: readonly Tool[] = builtInTools,
    shared: SharedLedger = sharedLedger(),
    egress: Egress = noEgress,
    sources: ToolSources = noToolSources,
  ) {
    const { files, live, instance } = this;
    const { ledger } = shared;
    this.shared = shared;
    void shared.instances.register({ id: instance.id, address: instance.address }, 15_000);
    const clock = benchClock;
    const catalog = new ToolCatalog(tools, sources);
    const ids = {
      spanId: () => String(++this.#spans).padStart(16, '0'),
      uuid: () => `${instance.id}-${++this.#uuids}`,
    };
    const onFailure = () => void this.logged.push('error: not recorded');
    this.records = new CallRecords({ ledger, clock, outageMs: 1000, onFailure });
    const audit = new AuditCalls({
      audit: shared.audit,
      ids,
      onFailure: () => void this.logged.push('error: not audited'),
    });
    this.#executeTool = new ExecuteTool({
      audit,
      ...{ files, live, instance, ledger, clock, ids, records: this.records },
      tools: catalog,
      reads: new ReadVersions(),
      callers: this.callers,
      egress,
      slots: new CallSlots(64),
      turns: new WriteTurns(),
      askExpiryMs: 60_000,
      startSpans: callSpans({ ids, clock }),
      metrics: callMetrics({
        meter: new Telemetry({ service: 'bench', env: {} }).meter,
        clock,
        isTool: (name, uid) => catalog.has(name, uid),
      }),
      logOf: () => this.#log(),
    });
  }

  /** As if the process had been killed, for all others. */
  async die(): Promise<void> {
    await this.shared.instances.remove(this.instance.id);
  }

  execute(call: ToolCall, signal: AbortSignal = new AbortController().signal): AsyncGenerator<CallFrame> {
    return this.#executeTool.execute(call, signal);
  }

  async call(tool: string, input: unknown, facts: Partial<ToolCall> = {}): Promise<ToldCall> {
    const frames = await this.frames(tool, input, facts);
    const last = frames.at(-1);
    if (last?.type !== 'result') {
      throw new TypeError('the last frame is no result');
    }
    return { frames, spans: spanEvents(frames), result: last.result };
  }

  async frames(tool: string, input: unknown, facts: Partial<ToolCall> = {}): Promise<readonly CallFrame[]> {
    const frames: CallFrame[] = [];
    for await (const frame of this.execute(toolCall(tool, input, facts))) {
      frames.push(frame);
    }
    return frames;
  }

  /** Text of the result of a call that has to go well. */
  async text(tool: string, input: unknown): Promise<string> {
    const callId = brandId<CallId>(`call-${++this.#uuids}`);
    const { outcome, text } = (await this.call(tool, input, { callId })).result;
    return outcome === 'ok' ? text : `${outcome}: ${text}`;
  }

  #log(): CallLog {
    const at = (level: string) => (_: object, message: string) => void this.logged.push(`${level}: ${message}`);
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  }
}

export function spanEvents(frames: readonly CallFrame[]): SpanEvent[] {
  return frames.flatMap((frame) => (frame.type === 'span' ? [frame.event] : []));
}

/** Ids of spans that were opened and not ended. */
export function openSpans(events: readonly SpanEvent[]): string[] {
  const ended = new Set(events.filter(({ type }) => type === 'span-end').map(({ span }) => span.id));
  return events.filter(({ type, span }) => type === 'span-start' && !ended.has(span.id)).map(({ span }) => span.id);
}
