import type { RunId, SessionId } from '@spanwise/kernel';
import type { ContextRange, LlmContext, StoredMessage } from '../../domain/context/llm-context.ts';
import type { AgentEvent } from '../../domain/event/agent-event.ts';
import type { Append, EventLog, EventQuery, LogBounds } from '../../domain/event/event-log.ts';
import { decodeEvent, encodeEvent } from '../codec/event-codec.ts';
import type { InMemoryStore } from './in-memory-store.ts';

export class InMemoryEventLog implements EventLog {
  readonly #store: InMemoryStore;

  constructor(store: InMemoryStore) {
    this.#store = store;
  }

  async append(append: Append): Promise<void> {
    this.#store.append(append);
  }

  async read({ sessionId, afterSeq, untilSeq, runId, cases, limit }: EventQuery): Promise<readonly AgentEvent[]> {
    return (this.#store.sessions.get(sessionId)?.events ?? [])
      .filter(({ seq }) => seq > afterSeq && (untilSeq === undefined || seq <= untilSeq))
      .filter((event) => runId === undefined || event.runId === runId)
      .filter(({ data }) => cases === undefined || (data.case !== undefined && cases.includes(data.case)))
      .slice(0, limit)
      .map((event) => decodeEvent(encodeEvent(event)));
  }

  async bounds(sessionId: SessionId): Promise<LogBounds | undefined> {
    const session = this.#store.sessions.get(sessionId)?.session;
    return session && { firstSeq: session.firstSeq, lastSeq: session.lastSeq };
  }
}

export class InMemoryLlmContext implements LlmContext {
  readonly #store: InMemoryStore;

  constructor(store: InMemoryStore) {
    this.#store = store;
  }

  async read(sessionId: SessionId, afterSeq: number, limit: number, threadId = ''): Promise<readonly StoredMessage[]> {
    const { context, superseded } = this.#store.sessions.get(sessionId) ?? { context: [], superseded: new Set() };
    return context
      .filter((message) => (message.threadId ?? '') === threadId)
      .filter(({ seq }) => seq > afterSeq && !superseded.has(seq))
      .slice(0, limit);
  }

  async rangeOf(sessionId: SessionId, runId: RunId): Promise<ContextRange | undefined> {
    const seqs = (this.#store.sessions.get(sessionId)?.context ?? [])
      .filter((message) => message.runId === runId)
      .map(({ seq }) => seq);
    return seqs.length === 0 ? undefined : { firstSeq: Math.min(...seqs), lastSeq: Math.max(...seqs) };
  }
}
