import { brandId, type RunId, type SessionId, type Uid } from '@spanwise/kernel';
import { noPolicy, type ToolPolicy } from '@spanwise/tool-kit/contract';
import type { ContextRow } from '../../domain/context/llm-context.ts';
import type { Run, RunEnding, RunOptions, RunStatus } from '../../domain/run/run.ts';
import type { Session, SessionStatus } from '../../domain/session/session.ts';
import type { RunRecord, SessionRecord } from './records.ts';

export function sessionFromRecord(record: SessionRecord): Session {
  return {
    id: brandId<SessionId>(record.id),
    uid: brandId<Uid>(record.uid),
    requestId: record.requestId ?? '',
    title: record.title,
    toolPolicy: record.toolPolicy ? (JSON.parse(record.toolPolicy) as ToolPolicy) : noPolicy,
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
    lostAttempts: record.noProgressAttempts,
    options: decodeOptions(record.options),
    spec: record.spec ?? undefined,
    email: record.email ?? '',
    sealedToken: record.sealedToken ?? '',
    span: {
      span: { id: record.spanId, par: '' },
      traceId: record.traceId,
      traceFlags: record.traceFlags,
    },
    startSeq: record.startSeq,
    terminalSeq: record.terminalSeq,
    deadlineAtMs: record.deadlineAt ?? undefined,
    remainingMs: record.remainingMs ?? undefined,
    wakeAtMs: record.wakeAt ?? undefined,
    cancelRequestedAtMs: record.cancelRequestedAt ?? undefined,
    cancelReason: record.cancelReason ?? '',
    rollsBack: record.rollsBack === 1,
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

/** Null when there are no rules. */
export function encodePolicy(policy: ToolPolicy): string | null {
  const { allow, ask, deny } = policy;
  return allow.length + ask.length + deny.length === 0 ? null : JSON.stringify({ allow, ask, deny });
}

/** Runs of earlier versions have not said whether somebody is there, what is to become of their files, and have no rules. */
function decodeOptions(text: string): RunOptions {
  const known = { interactive: true, onCancel: 'keep', toolPolicy: noPolicy } as const;
  return { ...known, ...(JSON.parse(text) as Omit<RunOptions, keyof typeof known>) };
}

/** The input of a queued run: its context rows, with their bytes in base64. */
export function encodeInput(rows: readonly ContextRow[]): string {
  return JSON.stringify(rows.map((row) => ({ ...row, payload: Buffer.from(row.payload).toString('base64') })));
}

export function decodeInput(text: string): readonly ContextRow[] {
  const rows = JSON.parse(text) as (Omit<ContextRow, 'payload'> & { readonly payload: string })[];
  return rows.map((row) => ({ ...row, payload: new Uint8Array(Buffer.from(row.payload, 'base64')) }));
}

function isInt(value: unknown): value is { readonly $int: string } {
  return typeof value === 'object' && value !== null && '$int' in value;
}
