import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

/** Row of `sessions`, for what is read and changed through the ORM. */
export const SessionRecord = defineEntity({
  name: 'SessionRecord',
  tableName: 'sessions',
  properties: {
    id: p.string().primary(),
    uid: p.string(),
    requestId: p.string().nullable(),
    title: p.text(),
    toolPolicy: p.text().nullable(),
    status: p.string(),
    activeRunId: p.string().nullable(),
    epoch: p.bigint('number'),
    lastSeq: p.bigint('number'),
    firstSeq: p.bigint('number'),
    lastCtxSeq: p.bigint('number'),
    createdAt: p.bigint('number'),
    updatedAt: p.bigint('number'),
    deletedAt: p.bigint('number').nullable(),
  },
});
export type SessionRecord = InferEntity<typeof SessionRecord>;

/** Row of `runs`, for what is read through the ORM. */
export const RunRecord = defineEntity({
  name: 'RunRecord',
  tableName: 'runs',
  properties: {
    id: p.string().primary(),
    sessionId: p.string(),
    requestId: p.string(),
    requestFp: p.string(),
    status: p.string(),
    ownerId: p.string().nullable(),
    epoch: p.bigint('number'),
    attempt: p.bigint('number'),
    noProgressAttempts: p.bigint('number'),
    options: p.text(),
    spec: p.blob().nullable(),
    email: p.string().nullable(),
    sealedToken: p.text().nullable(),
    spanId: p.string(),
    traceId: p.string(),
    traceFlags: p.bigint('number'),
    startSeq: p.bigint('number'),
    terminalSeq: p.bigint('number'),
    deadlineAt: p.bigint('number').nullable(),
    remainingMs: p.bigint('number').nullable(),
    wakeAt: p.bigint('number').nullable(),
    cancelRequestedAt: p.bigint('number').nullable(),
    cancelReason: p.text().nullable(),
    rollsBack: p.bigint('number'),
    ending: p.text().nullable(),
    createdAt: p.bigint('number'),
    endedAt: p.bigint('number').nullable(),
  },
});
export type RunRecord = InferEntity<typeof RunRecord>;
