import { defineTool } from '@spanwise/tool-kit';
import { type Interrupt, type InterruptAnswer, noPolicy, type Tool } from '@spanwise/tool-kit/contract';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ToolBench, toolCall } from '../../tests/tool-calls.ts';
import type { ToolCall } from '../domain/tool/tool-call.ts';

const key = toolCall('move', {});
const asks = { ...noPolicy, ask: ['move'] };

/** A tool that counts what it does, and asks which way if it is told to. */
function counting(effect: Tool['effect'] = 'NON_REPEATABLE', version = '1') {
  const done: unknown[] = [];
  const tool = defineTool({
    ...{ name: 'move', title: 'Move', description: 'Moves.', version, effect },
    input: z.strictObject({ to: z.string(), asks: z.boolean().default(false) }),
    targets: ({ to }) => [{ kind: 'path', value: to, access: 'write' }],
    async execute(input, { answer }) {
      if (input.asks && answer === undefined) {
        return { suspend: { kind: 'question', message: 'Which way?', schema: {} } };
      }
      done.push(answer === undefined ? input.to : `${input.to} ${answer.answerJson}`);
      return { text: `moved to ${input.to}` };
    },
  });
  return { done, tool };
}

const answerTo = ({ id: interruptId }: Interrupt, value: unknown): InterruptAnswer => {
  return { interruptId, answerJson: JSON.stringify(value), isExpired: false, answeredBy: 'ann' };
};

async function asked(bench: ToolBench, input: object, facts: Partial<ToolCall> = {}): Promise<Interrupt> {
  const last = (await bench.frames('move', input, { policy: asks, ...facts })).at(-1);
  return last?.type === 'suspended' ? last.interrupt : expect.fail('it was not suspended');
}

async function result(bench: ToolBench, input: object, facts: Partial<ToolCall> = {}) {
  return (await bench.call('move', input, { policy: asks, ...facts })).result;
}

describe('a call that a rule asks for', () => {
  test('waits with all that its user needs to know, has done nothing, and is the same when it comes again', async () => {
    const { done, tool } = counting();
    const bench = new ToolBench([tool]);
    const interrupt = await asked(bench, { to: '/a' });
    expect(interrupt).toMatchObject({ kind: 'approval', callId: key.callId, message: 'Move (move): /a' });
    expect(interrupt.approval).toEqual({
      ...{ tool: 'move', title: 'Move', toolVersion: '1', argumentsJson: '{"to":"/a"}', targets: ['/a'], rule: 'move' },
      argsHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(await asked(new ToolBench([tool], bench.shared), { to: '/a' }, { epoch: 2 })).toEqual(interrupt);
    expect(await bench.shared.ledger.find(key)).toMatchObject({ state: 'SUSPENDED', interrupt });
    expect(done).toEqual([]);
  });

  test.each(['READ_ONLY', 'IDEMPOTENT', 'NON_REPEATABLE'] as const)(
    'is executed once it is approved, also by another process: %s',
    async (effect) => {
      const { done, tool } = counting(effect);
      const first = new ToolBench([tool]);
      const answer = answerTo(await asked(first, { to: '/a' }), { approved: true });
      await first.die();
      const other = new ToolBench([tool], first.shared);
      expect(await result(other, { to: '/a' }, { answer, epoch: 2 })).toMatchObject({
        outcome: 'ok',
        text: 'moved to /a',
      });
      expect(done).toEqual(['/a']);
      if (effect === 'NON_REPEATABLE') {
        expect(await result(other, { to: '/a' }, { answer, epoch: 2 })).toMatchObject({ outcome: 'ok' });
        expect(done).toEqual(['/a']);
      }
    },
  );

  test.each([
    ['the user declines', { approved: false, reason: 'not that one' }, 'They say: not that one'],
    ['the answer is no clear yes', { approved: 'true' }, 'has not approved'],
    ['the answer is something else', 'yes', 'has not approved'],
  ])('is not executed when %s', async (_, value, text) => {
    const { done, tool } = counting();
    const bench = new ToolBench([tool]);
    const answer = answerTo(await asked(bench, { to: '/a' }), value);
    const declined = await result(bench, { to: '/a' }, { answer });
    expect(declined).toMatchObject({
      outcome: 'error',
      code: 'APPROVAL_DECLINED',
      text: expect.stringContaining(text),
    });
    expect(await result(bench, { to: '/a' }, { answer })).toEqual(declined);
    expect(done).toEqual([]);
  });

  test('is not executed when nobody answers in time, nor when nobody is there', async () => {
    const { done, tool } = counting();
    const bench = new ToolBench([tool]);
    const answer = { ...answerTo(await asked(bench, { to: '/a' }), ''), answerJson: '', isExpired: true };
    expect(await result(bench, { to: '/a' }, { answer })).toMatchObject({ code: 'APPROVAL_DECLINED' });
    const alone = await result(new ToolBench([tool]), { to: '/a' }, { isInteractive: false });
    expect(alone).toMatchObject({ outcome: 'error', code: 'TOOL_DENIED' });
    expect(done).toEqual([]);
  });

  test('is executed with the arguments that its user has made of it, judged like any others', async () => {
    const { done, tool } = counting();
    const bench = new ToolBench([tool]);
    const to = (path: unknown) => ({ approved: true, arguments: { to: path } });
    const interrupt = await asked(bench, { to: '/a' });
    const denying = { ...asks, deny: ['move(/locked/*)'] };
    const locked = await result(bench, { to: '/a' }, { policy: denying, answer: answerTo(interrupt, to('/locked/x')) });
    expect(locked).toMatchObject({ code: 'TOOL_DENIED' });
    expect(await result(bench, { to: '/a' }, { answer: answerTo(interrupt, to(7)) })).toMatchObject({
      code: 'INVALID_FIELD',
    });
    expect(done).toEqual([]);
    const moved = await result(bench, { to: '/a' }, { answer: answerTo(interrupt, to('/b')) });
    expect(moved.text).toBe('moved to /b\n[The user has changed the arguments to {"to":"/b"}]');
    expect(done).toEqual(['/b']);
  });

  test('is asked for again when its tool is another one meanwhile', async () => {
    const { tool } = counting();
    const bench = new ToolBench([tool]);
    const interrupt = await asked(bench, { to: '/a' });
    const newer = counting('NON_REPEATABLE', '2');
    const other = new ToolBench([newer.tool], bench.shared);
    const again = await asked(other, { to: '/a' }, { answer: answerTo(interrupt, { approved: true }) });
    expect(again.id).not.toBe(interrupt.id);
    expect(again.approval).toMatchObject({ toolVersion: '2' });
    expect(newer.done).toEqual([]);
    const answer = answerTo(again, { approved: true });
    expect(await result(other, { to: '/a' }, { answer })).toMatchObject({ outcome: 'ok' });
  });

  test('stays approved while its tool asks something of its own', async () => {
    const { done, tool } = counting('IDEMPOTENT');
    const bench = new ToolBench([tool]);
    const input = { to: '/a', asks: true };
    const approval = answerTo(await asked(bench, input), { approved: true });
    const question = await asked(bench, input, { answer: approval });
    expect(question).toMatchObject({ kind: 'question', message: 'Which way?' });
    const answer = answerTo(question, 'left');
    expect(await result(new ToolBench([tool], bench.shared), input, { answer })).toMatchObject({ outcome: 'ok' });
    expect(done).toEqual(['/a "left"']);
  });

  test('is refused with what a rule denies, whatever was approved before', async () => {
    const { done, tool } = counting();
    const bench = new ToolBench([tool]);
    const answer = answerTo(await asked(bench, { to: '/a' }), { approved: true });
    const policy = { ...asks, deny: ['move'] };
    expect(await result(bench, { to: '/a' }, { policy, answer })).toMatchObject({ code: 'TOOL_DENIED' });
    expect(done).toEqual([]);
  });

  test('takes the answer of no other interrupt', async () => {
    const { done, tool } = counting();
    const bench = new ToolBench([tool]);
    const interrupt = await asked(bench, { to: '/a' });
    const answer = { ...answerTo(interrupt, { approved: true }), interruptId: 'another' };
    expect(await asked(bench, { to: '/a' }, { answer })).toEqual(interrupt);
    expect(done).toEqual([]);
  });

  test('under a fence is not even asked for', async () => {
    const { tool } = counting();
    const bench = new ToolBench([tool]);
    await bench.shared.ledger.raiseFence(key.sessionId, 5);
    await expect(bench.frames('move', { to: '/a' }, { policy: asks })).rejects.toMatchObject({ reason: 'FENCED' });
    await expect(bench.frames('move', { to: '/a' }, { policy: asks, epoch: 5 })).resolves.toBeDefined();
    await expect(bench.frames('move', { to: '/a' }, { policy: asks, epoch: 4 })).rejects.toMatchObject({
      reason: 'FENCED',
    });
  });

  test('is held to its answer when nobody would ask for it any more', async () => {
    const { done, tool } = counting();
    const bench = new ToolBench([tool]);
    const interrupt = await asked(bench, { to: '/a' });
    const declined = { answer: answerTo(interrupt, { approved: false }), policy: { ...noPolicy, allow: ['move'] } };
    expect(await result(bench, { to: '/a' }, declined)).toMatchObject({ code: 'APPROVAL_DECLINED' });
    expect(done).toEqual([]);
    const approved = { ...declined, answer: answerTo(interrupt, { approved: true }) };
    expect(await result(bench, { to: '/a' }, approved)).toMatchObject({ outcome: 'ok' });
    expect(done).toEqual(['/a']);
  });

  test('is asked for again, by another question, when a process with a newer tool takes it over in the middle', async () => {
    const gate = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const older = counting('IDEMPOTENT');
    const waiting = { ...older.tool, execute: async () => (begun.resolve(), await gate.promise, { text: 'late' }) };
    const dying = new ToolBench([waiting]);
    const interrupt = await asked(dying, { to: '/a' });
    const answer = answerTo(interrupt, { approved: true });
    const lost = dying.frames('move', { to: '/a' }, { policy: asks, answer }).catch(() => undefined);
    await begun.promise;
    await dying.die();
    const newer = counting('IDEMPOTENT', '2');
    const again = await asked(new ToolBench([newer.tool], dying.shared), { to: '/a' }, { answer, epoch: 2 });
    expect(again.id).not.toBe(interrupt.id);
    expect(newer.done).toEqual([]);
    gate.resolve();
    await lost;
  });

  test('shows each target once, and says what it does not show', async () => {
    const paths = Array.from({ length: 40 }, (_, n) => `/p${n}`);
    const tool = {
      ...counting().tool,
      targets: () =>
        [...paths, '/p0', `/${'x'.repeat(2000)}`].map((value) => ({ kind: 'path', value, access: 'read' }) as const),
    };
    const { approval } = await asked(new ToolBench([tool]), { to: '/a' });
    expect(approval?.targets).toHaveLength(32);
    expect(approval?.targets.at(-1)).toBe('and 10 more');
  });
});
