import { brandId, type RunId, type SessionId, type Uid } from '@spanwise/kernel';
import type { Run, RunEnding, RunOptions, RunStatus } from '../../domain/run/run.ts';
import type { Session, SessionStatus } from '../../domain/session/session.ts';
import type { RunRecord, SessionRecord } from './records.ts';

export function sessionFromRecord(record: SessionRecord): Session {
  return {
    id: brandId<SessionId>(record.id),
    uid: brandId<Uid>(record.uid),
    requestId: record.requestId ?? '',
    title: record.title,
    status: record.status as SessionStatus,
    activeRunId: record.activeRunId ? brandId<RunId>(record.activeRunId) : undefined,
    epoch: record.epoch,
    lastSeq: record.lastSeq,
    firstSeq: record.firstSeq,
    lastContextSeq: record.lastCtxSeq,
    createdAtMs: record.createdAt,
    updatedAtMs: record.updatedAt,
  };
}

export function runFromRecord(record: RunRecord): Run {
  return {
    id: brandId<RunId>(record.id),
    sessionId: brandId<SessionId>(record.sessionId),
    requestId: record.requestId,
    fingerprint: record.requestFp,
    status: record.status as RunStatus,
    ownerId: record.ownerId ?? undefined,
    epoch: record.epoch,
    attempt: record.attempt,
    options: JSON.parse(record.options) as RunOptions,
    span: {
      span: { id: record.spanId, par: '' },
      traceId: record.traceId,
      traceFlags: record.traceFlags,
    },
    startSeq: record.startSeq,
    terminalSeq: record.terminalSeq,
    deadlineAtMs: record.deadlineAt ?? undefined,
    cancelRequestedAtMs: record.cancelRequestedAt ?? undefined,
    cancelReason: record.cancelReason ?? '',
    ending: record.ending ? decodeEnding(record.ending) : undefined,
    createdAtMs: record.createdAt,
    endedAtMs: record.endedAt ?? undefined,
  };
}

/** Endings hold 64-bit integers, which JSON has not: they travel as `{"$int": "…"}`. */
export function encodeEnding(ending: RunEnding): string {
  return JSON.stringify(ending, (_, value: unknown) => (typeof value === 'bigint' ? { $int: String(value) } : value));
}

function decodeEnding(text: string): RunEnding {
  return JSON.parse(text, (_, value: unknown) => (isInt(value) ? BigInt(value.$int) : value)) as RunEnding;
}

function isInt(value: unknown): value is { readonly $int: string } {
  return typeof value === 'object' && value !== null && '$int' in value;
}
