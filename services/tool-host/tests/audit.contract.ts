import type { CallId } from '@spanwise/kernel';
import type { Interrupt } from '@spanwise/tool-kit/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AuditEntry } from '../src/domain/audit/audit-entry.ts';
import type { ExecutionStart } from '../src/domain/execution/execution.ts';
import type { CallEnd } from '../src/domain/tool/tool-call.ts';
import { auditOf, ids, type LedgerSet, newStart } from './ledger-sets.ts';

const unavailable = { kind: 'unavailable', reason: 'DATABASE_UNAVAILABLE' };

function endOf(callId: CallId, outcome: 'ok' | 'error' | 'cancelled' = 'ok', code = ''): CallEnd {
  const result = { callId, outcome, text: 'content of the call', structuredJson: '', code, truncated: undefined };
  return { result, errorType: code };
}

function interruptOf(callId: CallId): Interrupt {
  return { id: ids.uuid(), kind: 'approval', callId, message: 'May it?', schemaJson: '{}', expiresAtMs: 1 };
}

function lineOf(start: ExecutionStart, ended: Pick<AuditEntry, 'outcome' | 'code'>): AuditEntry {
  const { mark: id, sessionId, runId, callId, tool, effect, argsHash, audit } = start;
  return { ...audit, id, sessionId, runId, callId, tool, effect, argsHash, ...ended };
}

const ok = { outcome: 'ok', code: '' } as const;
const suspended = { outcome: 'suspended', code: '' } as const;
const lost = { outcome: 'unknown', code: 'SERVICE_UNAVAILABLE' } as const;

/** What a ledger and its audit do together, whatever they are made of. */
export function auditContract(open: () => Promise<LedgerSet>): void {
  let set: LedgerSet;
  let instanceId: string;
  beforeAll(async () => {
    set = await open();
    instanceId = await newInstance();
  });
  afterAll(() => set[Symbol.asyncDispose]());

  async function newInstance(): Promise<string> {
    const id = ids.uuid();
    await set.instances.register({ id, address: `http://${id}` }, 60_000);
    return id;
  }

  const start = (facts: Partial<ExecutionStart> = {}) => newStart({ instanceId, ...facts });
  const again = (before: ExecutionStart, facts: Partial<ExecutionStart> = {}) => ({
    ...before,
    instanceId,
    mark: ids.uuid(),
    ...facts,
  });

  test('has a line of each call that has ended, once, with nothing of what it was about', async () => {
    const { sessionId } = start();
    const [fine, failed] = [start({ sessionId }), start({ sessionId, effect: 'IDEMPOTENT' })];
    await set.ledger.begin(fine);
    expect(await set.audited(sessionId)).toEqual([]);
    await set.ledger.settle(fine, { state: 'DONE', end: endOf(fine.callId) });
    await set.ledger.settle(fine, { state: 'DONE', end: endOf(fine.callId) });
    await set.ledger.begin(failed);
    const end = endOf(failed.callId, 'error', 'X'.repeat(500));
    await set.ledger.settle(failed, { state: 'DONE', end });
    expect(await set.audited(sessionId)).toEqual([
      lineOf(fine, ok),
      lineOf(failed, { outcome: 'error', code: 'X'.repeat(128) }),
    ]);
  });

  test('has one line of a settlement whose commit was not answered', async () => {
    const first = start();
    await set.ledger.begin(first);
    const settlement = { state: 'DONE', end: endOf(first.callId) } as const;
    await expect(set.losing.settle(first, settlement)).rejects.toMatchObject(unavailable);
    expect(await set.ledger.settle(first, settlement)).toBe(true);
    expect(await set.audited(first.sessionId)).toEqual([lineOf(first, ok)]);
  });

  test('tells that a call was asked for, and then approved', async () => {
    const asking = start({ audit: auditOf('ask') });
    const asks = interruptOf(asking.callId);
    await set.ledger.begin({ ...asking, asks });
    const approved = again(asking, { answeredInterruptId: asks.id, audit: auditOf('approved') });
    await set.ledger.begin(approved);
    await set.ledger.settle(approved, { state: 'DONE', end: endOf(approved.callId) });
    expect(await set.audited(asking.sessionId)).toEqual([lineOf(asking, suspended), lineOf(approved, ok)]);
  });

  test('has no line of a call that only reads and is allowed, but of one that was approved', async () => {
    const { sessionId } = start();
    const [allowed, approved] = [start({ sessionId }), start({ sessionId, audit: auditOf('approved') })];
    for (const each of [allowed, approved]) {
      const reading = { ...each, effect: 'READ_ONLY' } as const;
      await set.ledger.begin(reading);
      const interrupt = interruptOf(each.callId);
      expect(await set.ledger.settle(reading, { state: 'SUSPENDED', interrupt })).toBe(true);
    }
    expect(await set.audited(sessionId)).toEqual([lineOf({ ...approved, effect: 'READ_ONLY' }, suspended)]);
  });

  test('has no line of an attempt that was taken back, or that others have judged', async () => {
    const { sessionId } = start();
    const [withdrawn, late] = [start({ sessionId }), start({ sessionId })];
    await set.ledger.begin(withdrawn);
    await set.ledger.withdraw(withdrawn);
    await set.ledger.settle(withdrawn, { state: 'DONE', end: endOf(withdrawn.callId) });
    await set.ledger.begin(late);
    await set.ledger.settle(late, { state: 'UNKNOWN', end: endOf(late.callId, 'cancelled', 'REQUEST_CANCELLED') });
    expect(await set.ledger.settle(late, { state: 'DONE', end: endOf(late.callId) })).toBe(false);
    expect(await set.audited(sessionId)).toEqual([lineOf(late, { outcome: 'cancelled', code: 'REQUEST_CANCELLED' })]);
  });

  test('tells of each attempt whose process died, whoever finds out', async () => {
    const { sessionId } = start();
    const dead = await newInstance();
    const [looked, once, repeated] = [
      start({ sessionId, instanceId: dead }),
      start({ sessionId, instanceId: dead }),
      start({ sessionId, instanceId: dead, effect: 'IDEMPOTENT' }),
    ];
    for (const each of [looked, once, repeated]) {
      await set.ledger.begin(each);
    }
    await set.instances.remove(dead);
    const found = (await set.ledger.find(looked)) ?? expect.fail();
    await set.ledger.lose(found);
    await set.ledger.lose(found);
    expect(await set.ledger.begin(again(once))).toEqual({ type: 'unknown' });
    expect(await set.ledger.begin(again(once))).toEqual({ type: 'unknown' });
    const second = again(repeated);
    expect(await set.ledger.begin(second)).toEqual({ type: 'begin' });
    await set.ledger.settle(second, { state: 'DONE', end: endOf(second.callId) });
    const lines = (await set.audited(sessionId)).toSorted((left, right) => (left.id < right.id ? -1 : 1));
    expect(lines).toEqual([lineOf(looked, lost), lineOf(once, lost), lineOf(repeated, lost), lineOf(second, ok)]);
  });

  test('outlasts its session, of which what has not ended is told as lost', async () => {
    const { sessionId } = start();
    const [done, open] = [start({ sessionId }), start({ sessionId })];
    await set.ledger.begin(done);
    await set.ledger.settle(done, { state: 'DONE', end: endOf(done.callId) });
    await set.ledger.begin(open);
    await set.ledger.deleteSession(sessionId);
    await set.ledger.deleteSession(sessionId);
    expect(await set.ledger.settle(open, { state: 'DONE', end: endOf(open.callId) })).toBe(false);
    expect(await set.audited(sessionId)).toEqual([lineOf(done, ok), lineOf(open, lost)]);
  });

  test('adds lines of other calls, and deletes old ones bit by bit', async () => {
    await using own = await open();
    const { sessionId } = start();
    const lines = Array.from({ length: 5 }, () => {
      return lineOf(start({ sessionId, audit: auditOf('deny') }), { outcome: 'refused', code: 'TOOL_DENIED' });
    });
    for (const line of lines) {
      await own.audit.add(line);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(await own.audited(sessionId)).toEqual(lines);
    expect(await own.audit.removeOlder(60_000, 2)).toBe(0);
    expect(await own.audit.removeOlder(0, 2)).toBe(2);
    expect(await own.audited(sessionId)).toEqual(lines.slice(2));
    expect([await own.audit.removeOlder(0, 2), await own.audit.removeOlder(0, 2)]).toEqual([2, 1]);
    expect(await own.audited(sessionId)).toEqual([]);
  });
}
