import type { Clock, RunId, SessionId } from '@spanwise/kernel';
import type { StoredMessage } from '../../domain/context/llm-context.ts';
import { type AgentEvent, eventTimeMs, finishReason, type Interrupt } from '../../domain/event/agent-event.ts';
import { fenced } from '../../domain/event/event-errors.ts';
import type { Append } from '../../domain/event/event-log.ts';
import type { Instance } from '../../domain/instance/instance-repository.ts';
import type { Run } from '../../domain/run/run.ts';
import type { QueuedRun } from '../../domain/run/run-repository.ts';
import type { Session } from '../../domain/session/session.ts';

export interface SessionEntry {
  session: Session;
  isDeleted: boolean;
  lastAppend: Append | undefined;
  readonly events: AgentEvent[];
  readonly context: StoredMessage[];
  /** Seqs of the messages of runs that were rolled back. */
  readonly superseded: Set<number>;
  /** Runs that wait for the active one, in order. */
  queue: QueuedRun[];
}

/** An interrupt, and what became of it. */
export interface StoredInterrupt {
  readonly interrupt: Interrupt;
  answer?: { readonly json: string; readonly by: string } | undefined;
  isSettled: boolean;
  isTold: boolean;
}

/** What the in-memory repositories share: the tables, and the guarded append. For tests; nothing survives the process. */
export class InMemoryStore {
  readonly sessions = new Map<SessionId, SessionEntry>();
  readonly runs = new Map<RunId, Run>();
  /** Last place in the context when a run was dispatched last. */
  readonly progress = new Map<RunId, number>();
  readonly claimedAtMs = new Map<RunId, number>();
  readonly attachedAtMs = new Map<RunId, number>();
  readonly interrupts = new Map<RunId, StoredInterrupt[]>();
  readonly instances = new Map<string, Instance & { leaseUntilMs: number; isDraining: boolean }>();
  readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Appends under the guards of the log; `also` changes what belongs to the same transaction, and may throw. */
  append(append: Append, also: (entry: SessionEntry) => void = () => undefined): void {
    const { sessionId, runId, epoch, lastSeq } = append.position;
    const entry = this.sessions.get(sessionId);
    if (entry !== undefined && entry.lastAppend === append) {
      return;
    }
    const { session } = entry ?? {};
    if (
      entry === undefined ||
      session?.activeRunId !== runId ||
      session.epoch !== epoch ||
      session.lastSeq !== lastSeq
    ) {
      throw fenced();
    }
    also(entry);
    this.place(entry, append);
    entry.lastAppend = append;
  }

  /** Cancels all that waits in a session. */
  cancelQueue(entry: SessionEntry, reason: string, nowMs: number): void {
    entry.queue.forEach(({ run }) => this.runs.set(run.id, dequeued(run, reason, nowMs)));
    entry.queue = [];
  }

  /** Whether a lease runs, for this long at least. */
  isAlive(instanceId: string | undefined, leftMs = 0): boolean {
    return (this.instances.get(instanceId ?? '')?.leaseUntilMs ?? 0) > this.clock.nowMs() + leftMs;
  }

  /** Stores the rows of an append whose guards hold. */
  place(entry: SessionEntry, { position, events, contextRows, spec }: Append): void {
    const run = this.runs.get(position.runId);
    if (run !== undefined && spec !== undefined) {
      this.runs.set(run.id, { ...run, spec });
    }
    const raised = events.flatMap(({ data }) => (data.case === 'interrupt' ? [data.value.interrupt] : []));
    for (const interrupt of raised.filter((each) => each !== undefined)) {
      const stored = this.interrupts.get(position.runId) ?? [];
      this.interrupts.set(position.runId, [...stored, { interrupt, isSettled: false, isTold: false }]);
    }
    const nowMs = this.clock.nowMs();
    const { lastContextSeq, lastSeq } = entry.session;
    entry.events.push(...events);
    entry.context.push(
      ...contextRows.map((row, index) => ({ ...row, seq: lastContextSeq + index + 1, createdAtMs: nowMs })),
    );
    entry.session = {
      ...entry.session,
      lastSeq: lastSeq + events.length,
      lastContextSeq: lastContextSeq + contextRows.length,
      updatedAtMs: nowMs,
    };
  }
}

/** When an interrupt expires; Infinity = never. */
export function expiryOf({ expireTime }: Interrupt): number {
  return expireTime === undefined ? Infinity : Math.floor(eventTimeMs(expireTime));
}

/** A run that was cancelled before it began. */
export function dequeued(run: Run, cancelReason: string, nowMs: number): Run {
  const ending = { status: 'CANCELLED', finishReason: finishReason.cancelled, usage: undefined } as const;
  const over = { status: 'CANCELLED', ending, sealedToken: '' } as const;
  return { ...run, ...over, cancelRequestedAtMs: nowMs, cancelReason, endedAtMs: nowMs };
}
