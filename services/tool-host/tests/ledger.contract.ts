import type { CallId } from '@spanwise/kernel';
import type { Interrupt } from '@spanwise/tool-kit/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ExecutionStart } from '../src/domain/execution/execution.ts';
import { highestEpoch } from '../src/domain/execution/ledger.ts';
import type { CallEnd } from '../src/domain/tool/tool-call.ts';
import { ids, type LedgerSet, newStart } from './ledger-sets.ts';

const fenced = { kind: 'aborted', reason: 'FENCED' };
const unavailable = { kind: 'unavailable', reason: 'DATABASE_UNAVAILABLE' };
const leaseMs = 60_000;

function endOf(callId: CallId, text = 'done 💙'): CallEnd {
  return {
    result: { callId, outcome: 'ok', text, structuredJson: '{"a":1}', code: '', truncated: undefined },
    errorType: '',
  };
}

function interruptOf(callId: CallId): Interrupt {
  const schemaJson = '{"type":"object"}';
  return { id: ids.uuid(), kind: 'question', callId, message: 'Which?', schemaJson, expiresAtMs: 1_800_000_000_000 };
}

/** What a ledger and its instances do together, whatever they are made of. */
export function ledgerContract(open: () => Promise<LedgerSet>): void {
  let set: LedgerSet;
  let instanceId: string;
  beforeAll(async () => {
    set = await open();
    instanceId = await newInstance();
  });
  afterAll(() => set[Symbol.asyncDispose]());

  async function newInstance(): Promise<string> {
    const id = ids.uuid();
    await set.instances.register({ id, address: `http://${id}` }, leaseMs);
    return id;
  }

  const start = (facts: Partial<ExecutionStart> = {}) => newStart({ instanceId, ...facts });
  const again = (before: ExecutionStart, facts: Partial<ExecutionStart> = {}) => ({
    ...before,
    instanceId,
    mark: ids.uuid(),
    ...facts,
  });

  test('begins a call, settles it, and answers it to whoever asks again', async () => {
    const first = start();
    const { answeredInterruptId: _, ...kept } = first;
    expect(await set.ledger.find(first)).toBeUndefined();
    expect(await set.ledger.begin(first)).toEqual({ type: 'begin' });
    const begun = { ...kept, state: 'STARTED', interrupt: undefined, end: undefined, isAlive: true };
    expect(await set.ledger.find(first)).toEqual(begun);
    expect(await set.ledger.begin(again(first))).toEqual({ type: 'running' });
    const end = endOf(first.callId);
    expect(await set.ledger.settle(first, { state: 'DONE', end })).toBe(true);
    expect(await set.ledger.find(first)).toEqual({ ...begun, state: 'DONE', end });
    expect(await set.ledger.begin(again(first, { epoch: 7 }))).toEqual({ type: 'ended', end });
    expect(await set.ledger.begin(first)).toEqual({ type: 'ended', end });
  });

  test('refuses another call with the same id, of the same and of another session', async () => {
    const first = start();
    await set.ledger.begin(first);
    const reused = { kind: 'exists', reason: 'CALL_REUSED' };
    await expect(set.ledger.begin(again(first, { argsHash: 'other' }))).rejects.toMatchObject(reused);
    const { sessionId } = start();
    await expect(set.ledger.begin(again(first, { sessionId }))).rejects.toMatchObject(reused);
    const attempts = Array.from({ length: 4 }, () =>
      set.ledger.begin({ ...start(), runId: first.runId, callId: first.callId }),
    );
    expect((await Promise.allSettled(attempts)).map(({ status }) => status)).toEqual(Array(4).fill('rejected'));
  });

  test('lets one of eight attempts begin, on several instances, in sessions old and new', async () => {
    const instances = [instanceId, await newInstance(), await newInstance()];
    for (let round = 0; round < 10; round += 1) {
      const first = start(round % 2 === 0 ? {} : { sessionId: start().sessionId });
      const attempts = Array.from({ length: 8 }, (_, index) =>
        set.ledger.begin(again(first, { instanceId: instances[index % 3] ?? instanceId })),
      );
      const verdicts = (await Promise.all(attempts)).map(({ type }) => type);
      expect(verdicts.toSorted()).toEqual(['begin', ...Array(7).fill('running')]);
    }
  });

  test('lets one of eight attempts begin again what a dead instance left, if it may be repeated', async () => {
    for (const effect of ['IDEMPOTENT', 'NON_REPEATABLE'] as const) {
      const dead = await newInstance();
      const left = start({ instanceId: dead, effect });
      await set.ledger.begin(left);
      await set.instances.remove(dead);
      const verdicts = await Promise.all(Array.from({ length: 8 }, () => set.ledger.begin(again(left))));
      const types = verdicts.map(({ type }) => type).toSorted();
      expect(types).toEqual(
        effect === 'IDEMPOTENT' ? ['begin', ...Array(7).fill('running')] : Array(8).fill('unknown'),
      );
      expect((await set.ledger.find(left))?.state).toBe(effect === 'IDEMPOTENT' ? 'STARTED' : 'UNKNOWN');
      expect(await set.ledger.settle(left, { state: 'DONE', end: endOf(left.callId) })).toBe(false);
    }
  });

  test('knows its own row when a commit was not answered', async () => {
    const first = start();
    await expect(set.losing.begin(first)).rejects.toMatchObject(unavailable);
    expect((await set.ledger.find(first))?.state).toBe('STARTED');
    expect(await set.ledger.begin(again(first))).toEqual({ type: 'running' });
    expect(await set.ledger.begin(first)).toEqual({ type: 'begin' });
    const end = endOf(first.callId);
    await expect(set.losing.settle(first, { state: 'DONE', end })).rejects.toMatchObject(unavailable);
    expect(await set.ledger.settle(first, { state: 'DONE', end })).toBe(true);
    expect(await set.ledger.settle(again(first), { state: 'DONE', end })).toBe(false);
  });

  test('takes back an attempt whose tool was not called, as it was', async () => {
    const first = start({ effect: 'IDEMPOTENT' });
    await set.ledger.begin(first);
    await set.ledger.withdraw(again(first));
    expect((await set.ledger.find(first))?.state).toBe('STARTED');
    await set.ledger.withdraw(first);
    await set.ledger.withdraw(first);
    expect(await set.ledger.find(first)).toBeUndefined();

    await set.ledger.begin(first);
    await set.ledger.settle(first, { state: 'UNKNOWN', end: endOf(first.callId) });
    const second = again(first);
    await set.ledger.begin(second);
    await set.ledger.withdraw(second);
    expect((await set.ledger.find(first))?.state).toBe('UNKNOWN');

    const asked = start();
    await set.ledger.begin(asked);
    const interrupt = interruptOf(asked.callId);
    await set.ledger.settle(asked, { state: 'SUSPENDED', interrupt });
    const answered = again(asked, { answeredInterruptId: interrupt.id });
    await set.ledger.begin(answered);
    await set.ledger.withdraw(answered);
    expect(await set.ledger.find(asked)).toMatchObject({ state: 'SUSPENDED', interrupt });
  });

  test('writes down at once what a call asks for instead of beginning, and what was approved with its beginning', async () => {
    const first = start();
    const asks = interruptOf(first.callId);
    expect(await set.ledger.begin({ ...first, asks })).toEqual({ type: 'begin' });
    expect(await set.ledger.find(first)).toMatchObject({ state: 'SUSPENDED', interrupt: asks, approval: undefined });
    // Whoever asked is gone: nothing was begun, so that it still waits, though it may not be repeated.
    expect(await set.ledger.begin(again(first))).toEqual({ type: 'suspended', interrupt: asks });
    const instead = interruptOf(first.callId);
    const asking = again(first, { asks: instead, answeredInterruptId: asks.id });
    expect(await set.ledger.begin(asking)).toEqual({ type: 'begin' });
    expect(await set.ledger.find(first)).toMatchObject({ state: 'SUSPENDED', interrupt: instead });
    // The commit was not answered: the same attempt finds its own row.
    expect(await set.ledger.begin(asking)).toEqual({ type: 'begin' });
    const approval = { argsHash: 'hash', argumentsJson: '{"a":"ü"}', approvedBy: 'ann' };
    const approved = again(first, { answeredInterruptId: instead.id, approval });
    expect(await set.ledger.begin(approved)).toEqual({ type: 'begin' });
    expect(await set.ledger.find(first)).toMatchObject({ state: 'STARTED', approval });
    await set.ledger.withdraw(approved);
    expect(await set.ledger.find(first)).toMatchObject({ state: 'SUSPENDED', interrupt: instead, approval });
    const later = again(first, { answeredInterruptId: instead.id });
    expect(await set.ledger.begin(later)).toEqual({ type: 'begin' });
    expect(await set.ledger.settle(later, { state: 'DONE', end: endOf(first.callId) })).toBe(true);
    expect(await set.ledger.find(first)).toMatchObject({ state: 'DONE', approval });
  });

  test('keeps what a call waits for, and begins again with its answer only', async () => {
    const first = start({ effect: 'IDEMPOTENT' });
    await set.ledger.begin(first);
    const interrupt = interruptOf(first.callId);
    expect(await set.ledger.settle(first, { state: 'SUSPENDED', interrupt })).toBe(true);
    expect(await set.ledger.begin(again(first))).toEqual({ type: 'suspended', interrupt });
    const wrong = again(first, { answeredInterruptId: ids.uuid() });
    await expect(set.ledger.begin(wrong)).rejects.toMatchObject({ reason: 'INVALID_FIELD' });

    const dying = await newInstance();
    const answeredInterruptId = interrupt.id;
    const answered = again(first, { instanceId: dying, answeredInterruptId, epoch: 2 });
    expect(await set.ledger.begin(answered)).toEqual({ type: 'begin' });
    expect(await set.ledger.find(first)).toMatchObject({ state: 'STARTED', epoch: 2, instanceId: dying });
    await set.instances.remove(dying);
    // It waited, its answer was being worked on when the process died: without the answer it waits again.
    expect(await set.ledger.begin(again(first))).toEqual({ type: 'suspended', interrupt });
    expect((await set.ledger.find(first))?.state).toBe('SUSPENDED');
    const last = again(first, { answeredInterruptId });
    expect(await set.ledger.begin(last)).toEqual({ type: 'begin' });
    const end = endOf(first.callId);
    expect(await set.ledger.settle(last, { state: 'DONE', end })).toBe(true);
    expect(await set.ledger.begin(again(first, { answeredInterruptId }))).toEqual({ type: 'ended', end });
  });

  test('shuts a session against lower epochs, and never opens it again', async () => {
    const first = start({ epoch: 3 });
    const { sessionId } = first;
    await set.ledger.assertOpen(sessionId, 1);
    await set.ledger.begin(first);
    await set.ledger.raiseFence(sessionId, 4);
    await set.ledger.raiseFence(sessionId, 2);
    await expect(set.ledger.assertOpen(sessionId, 3)).rejects.toMatchObject(fenced);
    await expect(set.ledger.begin(start({ sessionId, epoch: 3 }))).rejects.toMatchObject(fenced);
    await set.ledger.assertOpen(sessionId, 4);
    expect(await set.ledger.begin(start({ sessionId, epoch: 4 }))).toEqual({ type: 'begin' });
    expect(await set.ledger.settle(first, { state: 'DONE', end: endOf(first.callId) })).toBe(true);
  });

  test('lets nothing begin after a fence has answered, however close it was', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { sessionId } = start();
      let isShut = false;
      const starts = Array.from({ length: 8 }, () => start({ sessionId }));
      const attempts = starts.map(async (each) => {
        const wasShut = isShut;
        await set.ledger.begin(each);
        expect(wasShut).toBe(false);
      });
      const fence = set.ledger.raiseFence(sessionId, 2).then(async () => {
        isShut = true;
        return (await set.ledger.started(sessionId)).map(({ callId }) => callId);
      });
      const results = await Promise.allSettled(attempts);
      const seen = await fence;
      const begun = starts.filter((_, index) => results[index]?.status === 'fulfilled').map(({ callId }) => callId);
      expect(begun.toSorted()).toEqual(seen.toSorted());
    }
  });

  test('begins nothing for an instance without a lease', async () => {
    const dead = await newInstance();
    await set.instances.remove(dead);
    await expect(set.ledger.begin(start({ instanceId: dead }))).rejects.toMatchObject(unavailable);
    await expect(set.ledger.begin(start({ instanceId: ids.uuid() }))).rejects.toMatchObject(unavailable);
  });

  test('makes UNKNOWN only what a dead instance had begun', async () => {
    const [alive, dying] = [start(), start({ instanceId: await newInstance() })];
    for (const each of [alive, dying]) {
      await set.ledger.begin(each);
    }
    await set.instances.remove(dying.instanceId);
    for (const each of [alive, dying]) {
      const found = await set.ledger.find(each);
      expect(found?.isAlive).toBe(each === alive);
      await set.ledger.lose(found ?? expect.fail());
    }
    expect((await set.ledger.find(alive))?.state).toBe('STARTED');
    expect((await set.ledger.find(dying))?.state).toBe('UNKNOWN');
  });

  test('lists what a session has begun and not ended', async () => {
    const { sessionId } = start();
    const starts = [start({ sessionId }), start({ sessionId }), start({ sessionId })];
    for (const each of starts) {
      await set.ledger.begin(each);
    }
    const [first, second, third] = starts.map(({ callId }) => callId);
    await set.ledger.settle(starts[1] ?? expect.fail(), { state: 'UNKNOWN', end: endOf(second ?? expect.fail()) });
    expect((await set.ledger.started(sessionId)).map(({ callId }) => callId)).toEqual([first, third]);
  });

  test('forgets a session and keeps it shut', async () => {
    const [first, other] = [start(), start()];
    await set.ledger.begin(first);
    await set.ledger.begin(other);
    await set.ledger.deleteSession(first.sessionId);
    await set.ledger.deleteSession(first.sessionId);
    expect(await set.ledger.find(first)).toBeUndefined();
    expect(await set.ledger.settle(first, { state: 'DONE', end: endOf(first.callId) })).toBe(false);
    await expect(set.ledger.begin(again(first, { epoch: highestEpoch }))).rejects.toMatchObject(fenced);
    expect((await set.ledger.find(other))?.state).toBe('STARTED');
  });

  test('renews a lease that runs, and revives none', async () => {
    const [id, short] = [await newInstance(), ids.uuid()];
    expect(await set.instances.renew(id, leaseMs)).toBe(true);
    await set.instances.register({ id: short, address: 'http://short' }, -1);
    expect(await set.instances.renew(short, leaseMs)).toBe(false);
    expect(await set.instances.renew(ids.uuid(), leaseMs)).toBe(false);
    const alive = await set.instances.alive();
    expect(alive).toContainEqual({ id, address: `http://${id}` });
    expect(alive.map((instance) => instance.id)).not.toContain(short);
    await set.instances.removeDead(0);
    expect((await set.instances.alive()).length).toBe(alive.length);
  });
}
