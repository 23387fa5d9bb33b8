import { fromBinary } from '@bufbuild/protobuf';
import { MessageSchema } from '@spanwise/contracts/spanwise/type/v1/message';
import { DomainError } from '@spanwise/kernel';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { replaced } from '../../tests/doubles/replaced.ts';
import {
  assistantMessage,
  callDelta,
  callEnd,
  callStart,
  contextRow,
  durable,
  resultOf,
  spanStart,
  textDelta,
  textStart,
} from '../../tests/doubles/said.ts';
import {
  alice,
  inMemoryWorld,
  rowsOf,
  settled,
  startedRun,
  startRunIn,
  type World,
  type WorldReplacements,
} from '../../tests/doubles/world.ts';
import { type AgentEvent, role } from '../domain/event/agent-event.ts';
import type { RunRepository } from '../domain/run/run-repository.ts';

const lostText = 'The call was interrupted. It may or may not have had effects: check before doing it again.';
const lostResult = (callId: string) => ({
  callId,
  outcome: 5,
  content: [{ content: { case: 'text', value: lostText } }],
  structuredJson: '',
  code: '',
});

/** The rows of a run after those that its start wrote. */
function said(world: World, sessionId: Parameters<typeof rowsOf>[1]): readonly AgentEvent['data'][] {
  return rowsOf(world, sessionId)
    .slice(3)
    .map(({ data }) => data);
}

async function expectFree(world: World, sessionId: Parameters<typeof rowsOf>[1]): Promise<void> {
  expect(await world.sessions.find(alice.uid, sessionId)).toMatchObject({ status: 'IDLE', activeRunId: undefined });
  const { executor } = await startRunIn(world, sessionId);
  executor.finish();
  await settled();
  const events = rowsOf(world, sessionId);
  expect(events.map(({ seq }) => Number(seq))).toEqual(events.map((_, index) => index + 1));
  expect(events.filter(({ data }) => data.case === 'runEnd' || data.case === 'runError')).toHaveLength(2);
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a run whose executor fails', () => {
  test('while an agent works for another closes both dialogues, each in its own', async () => {
    const world = inMemoryWorld();
    const { executor, sessionId, run } = await startedRun(world);
    const inThread = <Said extends object>(said: Said) => ({ ...said, threadId: 'd' });
    executor.checkpoint(
      [callStart('d', 'm'), callEnd('d'), assistantMessage('m')],
      [contextRow('m', run.id, role.assistant)],
    );
    const asked = [callStart('c', 'n'), callEnd('c'), assistantMessage('n')];
    executor.checkpoint(asked.map(inThread), [inThread(contextRow('n', run.id, role.assistant))]);
    executor.say(...[spanStart('00000000000000a1'), textStart('b'), textDelta('b', 0, 'x')].map(inThread));
    executor.fail();
    await settled();
    const rows = rowsOf(world, sessionId);
    const ends = rows.slice(rows.findIndex(({ data }) => data.case === 'textDelta'));
    expect(ends.map(({ threadId = '', data }) => [threadId, data.case])).toEqual([
      ['d', 'textDelta'],
      ['d', 'textEnd'],
      ['d', 'messageAbandoned'],
      ['', 'toolResult'],
      ['d', 'toolResult'],
      ['', 'message'],
      ['d', 'message'],
      // Its files.
      ['', 'spanStart'],
      ['', 'spanEnd'],
      ['d', 'spanEnd'],
      ['', 'spanEnd'],
      ['', 'runError'],
    ]);
    const dialogues = await Promise.all(['', 'd'].map((thread) => world.context.read(sessionId, 0, 9, thread)));
    const answered = dialogues.map((each) => fromBinary(MessageSchema, each.at(-1)?.payload ?? new Uint8Array()).parts);
    expect(answered).toMatchObject([
      [{ part: { case: 'toolResult', value: lostResult('d') } }],
      [{ part: { case: 'toolResult', value: lostResult('c') } }],
    ]);
    const told = ends.flatMap(({ data }) => (data.case === 'message' ? [Number(data.value.contextSeq)] : []));
    expect(told).toEqual(dialogues.map((each) => each.at(-1)?.seq));
    await expectFree(world, sessionId);
  });

  test('in the middle of a text ends the block with what was said, and abandons its message', async () => {
    const world = inMemoryWorld();
    const { executor, sessionId } = await startedRun(world);
    executor.say(textStart('b'), textDelta('b', 0, 'Grüße'), textDelta('b', 7, ' 😀'));
    executor.fail();
    await settled();
    const error = { code: 13, reason: 99, message: expect.any(String), retryable: false };
    expect(said(world, sessionId)).toEqual([
      textStart('b').data,
      { case: 'textDelta', value: { blockId: 'b', offset: 0n, text: 'Grüße 😀', elidedBytes: 0n } },
      { case: 'textEnd', value: { blockId: 'b', length: 12n } },
      { case: 'messageAbandoned', value: { messageId: 'm-b', reason: 2 } },
      { case: 'spanEnd', value: { status: 2, errorType: '99', attributes: {} } },
      { case: 'runError', value: { error, usage: undefined } },
    ]);
    await expectFree(world, sessionId);
  });

  test('in the middle of arguments voids the call with its message, without a result', async () => {
    const world = inMemoryWorld();
    const { executor, sessionId } = await startedRun(world);
    executor.say(callStart('c', 'm'), callDelta('c', 0, '{"path":'));
    executor.fail();
    await settled();
    expect(said(world, sessionId).slice(0, 4)).toEqual([
      callStart('c', 'm').data,
      { case: 'toolCallDelta', value: { callId: 'c', offset: 0n, text: '{"path":', elidedBytes: 0n } },
      { case: 'toolCallEnd', value: { callId: 'c', argumentsJson: '' } },
      { case: 'messageAbandoned', value: { messageId: 'm', reason: 2 } },
    ]);
    expect(world.store.sessions.get(sessionId)?.context).toHaveLength(1);
    await expectFree(world, sessionId);
  });

  test('after it asked for calls answers each of them, those that came with what they said', async () => {
    const world = inMemoryWorld();
    const { executor, run, sessionId } = await startedRun(world);
    const calls = ['c1', 'c2', 'c3'];
    executor.say(...calls.flatMap((id) => [callStart(id, 'm'), callEnd(id)]));
    executor.checkpoint([assistantMessage('m')], [contextRow('m', run.id, role.assistant)]);
    const truncated = { shownBytes: 3n, totalBytes: 9n, fullPath: '/tool-results/c2.txt' };
    const told = { ...resultOf('c2', 'two'), outcome: 2, code: 'TOOL_FAILED', truncated };
    executor.say(durable({ case: 'toolResult', value: told }));
    executor.fail();
    await settled();
    const events = said(world, sessionId).slice(8);
    const context = world.store.sessions.get(sessionId)?.context ?? [];
    const messageId = context[2]?.messageId ?? '';
    const names = events.map((data) => data.case);
    expect(names.slice(3)).toEqual(['spanStart', 'spanEnd', 'spanEnd', 'runError']);
    expect(events.slice(0, 3)).toEqual([
      { case: 'toolResult', value: lostResult('c1') },
      { case: 'toolResult', value: lostResult('c3') },
      { case: 'message', value: { messageId, role: role.tool, contextSeq: 3n } },
    ]);
    const { parts, ...row } = fromBinary(MessageSchema, context[2]?.payload ?? new Uint8Array());
    expect(row).toMatchObject({ id: messageId, role: role.tool, runId: run.id });
    expect(parts.map(({ part }) => part.value)).toMatchObject([lostResult('c1'), told, lostResult('c3')]);
    await expectFree(world, sessionId);
  });

  test('closes inner spans as abandoned before their parents', async () => {
    const world = inMemoryWorld();
    const { executor, run, sessionId } = await startedRun(world);
    const root = run.span.span.id;
    executor.say(spanStart('00000000000000a1', root), spanStart('00000000000000a2', '00000000000000a1'));
    executor.fail();
    await settled();
    const ends = rowsOf(world, sessionId).filter(({ data }) => data.case === 'spanEnd');
    expect(ends.map(({ span, data }) => [span?.id, data.value])).toEqual([
      ['00000000000000a2', { status: 4, errorType: '', attributes: {} }],
      ['00000000000000a1', { status: 4, errorType: '', attributes: {} }],
      [root, { status: 2, errorType: '99', attributes: {} }],
    ]);
    expect(world.exported.map(({ span }) => span.id)).toEqual(['00000000000000a2', '00000000000000a1', root]);
  });
});

test('a cancelled run closes its inner spans as cancelled', async () => {
  const world = inMemoryWorld();
  const { executor, run, sessionId } = await startedRun(world);
  executor.say(spanStart('00000000000000a1', run.span.span.id));
  await world.cancelRun.execute({ caller: alice, sessionId, runId: run.id, reason: '' });
  executor.finish({ kind: 'aborted' });
  await settled();
  expect(world.exported.map(({ end }) => end.status)).toEqual([3, 3]);
});

test('an executor that stops without being told to has failed', async () => {
  const world = inMemoryWorld();
  const { executor, run, sessionId } = await startedRun(world);
  executor.finish({ kind: 'aborted' });
  await settled();
  expect((await world.runs.find(sessionId, run.id))?.ending).toMatchObject({ status: 'FAILED', error: { reason: 31 } });
});

describe('the end of a run', () => {
  /** Repositories whose ways to end a run are replaced. */
  const replacing = (
    replacement: (runs: RunRepository) => Partial<RunRepository>,
    replacements: WorldReplacements = {},
  ) =>
    inMemoryWorld({
      ...replacements,
      runs: (runs) => replaced(runs, replacement(runs)),
    });
  const away = () => new DomainError('unavailable', 'DATABASE_UNAVAILABLE', 'away');

  test('does not collide with text that is stored by time meanwhile', async () => {
    const decision = Promise.withResolvers<void>();
    const slowAppend = Promise.withResolvers<void>();
    const world = replacing(
      (runs) => ({
        async find(sessionId, runId) {
          await decision.promise;
          return runs.find(sessionId, runId);
        },
      }),
      {
        log: (log) =>
          replaced(log, {
            async append(append) {
              await (append.events.some(({ data }) => data.case === 'textDelta') ? slowAppend.promise : undefined);
              return log.append(append);
            },
          }),
      },
    );
    const { executor, sessionId } = await startedRun(world);
    executor.say(textStart('b'), textDelta('b', 0, 'half'));
    executor.fail();
    await settled();
    vi.advanceTimersByTime(1000);
    decision.resolve();
    await settled();
    slowAppend.resolve();
    await settled();
    expect(world.lost).toEqual([]);
    expect(said(world, sessionId).map((data) => data.case)).toEqual([
      ...['textStart', 'textDelta', 'textEnd', 'messageAbandoned', 'spanEnd', 'runError'],
    ]);
  });

  test('is tried again while the database is away, whether or not it was committed', async () => {
    const attempts: string[] = [];
    const once = async (name: string, isCommitted: boolean, work: () => Promise<unknown>): Promise<undefined> => {
      const isFirst = !attempts.includes(name);
      attempts.push(name);
      if (!isFirst || isCommitted) {
        await work();
      }
      if (isFirst) {
        throw away();
      }
      return undefined;
    };
    const world = replacing((runs) => ({
      async beginFinishing(...decision) {
        let isFinishing = false;
        await once('beginFinishing', true, async () => {
          isFinishing = await runs.beginFinishing(...decision);
        });
        return isFinishing;
      },
      finish: (finish) => once('finish', true, () => runs.finish(finish)),
    }));
    const { executor, run, sessionId } = await startedRun(world);
    executor.finish();
    for (let n = 0; n < 4; n += 1) {
      await settled();
      vi.advanceTimersByTime(200);
    }
    await settled();
    expect(attempts).toEqual(['beginFinishing', 'beginFinishing', 'finish', 'finish']);
    expect((await world.runs.find(sessionId, run.id))?.status).toBe('COMPLETED');
    expect(said(world, sessionId).map((data) => data.case)).toEqual(['spanEnd', 'runEnd']);
  });

  test('is given up when the database stays away', async () => {
    const world = replacing(() => ({ finish: () => Promise.reject(away()) }));
    const { executor, run, sessionId } = await startedRun(world);
    executor.finish();
    for (let n = 0; n < 50; n += 1) {
      await settled();
      world.clock.advance(200);
      vi.advanceTimersByTime(200);
    }
    await settled();
    expect(world.lost).toEqual([{ run, error: away() }]);
    expect(said(world, sessionId)).toEqual([]);
  });
});
