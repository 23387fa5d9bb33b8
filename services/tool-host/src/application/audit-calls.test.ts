import { brandId, type CallId } from '@spanwise/kernel';
import { defineTool } from '@spanwise/tool-kit';
import { type InterruptAnswer, noPolicy, type Tool, type ToolPolicy } from '@spanwise/tool-kit/contract';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { sharedLedger, ToolBench, toolCall } from '../../tests/tool-calls.ts';
import type { ToolCall } from '../domain/tool/tool-call.ts';

function touching(effect: Tool['effect']): Tool {
  return defineTool({
    ...{ name: 'touch', title: 'Touch', description: 'Touches.', version: '7', effect },
    defaultDecision: 'allow',
    input: z.strictObject({ path: z.string(), content: z.string().default('') }),
    targets: ({ path }) => [{ kind: 'path', value: path, access: 'write' }],
    execute: async () => ({ text: 'touched' }),
  });
}

const { caller, sessionId, runId, span } = toolCall('touch', {});
let calls = 0;

/** Has a call made, and answers it when it asks; tells its lines of the audit. */
async function audited(
  effect: Tool['effect'],
  policy: Partial<ToolPolicy>,
  { answer, input = { path: '/a' }, facts = {} }: Audited = {},
) {
  calls += 1;
  const callId = brandId<CallId>(`call-${calls}`);
  const bench = new ToolBench([touching(effect)]);
  const call = { callId, policy: { ...noPolicy, ...policy }, ...facts };
  const last = (await bench.frames('touch', input, call)).at(-1);
  if (last?.type === 'suspended' && answer !== undefined) {
    await bench.frames('touch', input, {
      ...call,
      answer: { interruptId: last.interrupt.id, answeredBy: 'ann', ...answer },
    });
  }
  return bench.shared.audit.entries.map(({ id, callId: of, argsHash, ...line }) => {
    expect([id, of, argsHash]).toEqual([expect.any(String), callId, expect.stringMatching(/^[0-9a-f]{64}$/)]);
    return line;
  });
}

interface Audited {
  readonly answer?: Pick<InterruptAnswer, 'answerJson' | 'isExpired'>;
  readonly input?: object;
  readonly facts?: Partial<ToolCall>;
}

const lineOf = (facts: object) => ({
  ...{ uid: caller.uid, sessionId, runId, tool: 'touch', toolVersion: '7', effect: 'NON_REPEATABLE' },
  ...{ rule: '', targets: [{ kind: 'path', value: '/a', access: 'write' }], traceId: span.traceId, code: '' },
  ...facts,
});

test('tells of a call that has effects, by which rule or none', async () => {
  expect(await audited('NON_REPEATABLE', {})).toEqual([lineOf({ decision: 'allow', outcome: 'ok' })]);
  expect(await audited('IDEMPOTENT', { allow: ['touch(/*)'] })).toEqual([
    lineOf({ decision: 'allow', rule: 'touch(/*)', effect: 'IDEMPOTENT', outcome: 'ok' }),
  ]);
});

test('tells nothing of a call that only reads and is allowed, nor of one that is no call of a tool', async () => {
  expect(await audited('READ_ONLY', {})).toEqual([]);
  expect(await audited('NON_REPEATABLE', {}, { input: { wrong: 1 } })).toEqual([]);
});

test('tells what a rule refuses, and what nobody is there to approve', async () => {
  const refused = { decision: 'deny', outcome: 'refused', code: 'TOOL_DENIED' };
  expect(await audited('READ_ONLY', { deny: ['touch'] })).toEqual([
    lineOf({ ...refused, rule: 'touch', effect: 'READ_ONLY' }),
  ]);
  expect(await audited('NON_REPEATABLE', { ask: ['touch(/a)'] }, { facts: { isInteractive: false } })).toEqual([
    lineOf({ ...refused, rule: 'touch(/a)' }),
  ]);
});

test.each(['READ_ONLY', 'IDEMPOTENT', 'NON_REPEATABLE'] as const)(
  'tells that a call was asked for and what came of it: %s',
  async (effect) => {
    const answered = async (answerJson: string, isExpired = false) =>
      (await audited(effect, { ask: ['touch'] }, { answer: { answerJson, isExpired } })).slice(1);
    const of = (facts: object) => [lineOf({ effect, rule: 'touch', ...facts })];
    expect(await audited(effect, { ask: ['touch'] })).toEqual(of({ decision: 'ask', outcome: 'suspended' }));
    expect(await answered('{"approved":true}')).toEqual(of({ decision: 'approved', outcome: 'ok' }));
    const refused = { outcome: 'refused', code: 'APPROVAL_DECLINED' };
    expect(await answered('{"approved":false}')).toEqual(of({ decision: 'declined', ...refused }));
    expect(await answered('', true)).toEqual(of({ decision: 'expired', ...refused }));
  },
);

test('tells what an approved call touches once its user has changed it, also when a rule denies that', async () => {
  const changed = (path: string) => ({ answerJson: JSON.stringify({ approved: true, arguments: { path } }) });
  const policy = { ask: ['touch'], deny: ['touch(/secret)'] };
  const lines = async (path: string) =>
    (await audited('NON_REPEATABLE', policy, { answer: { ...changed(path), isExpired: false } })).slice(1);
  const targets = (value: string) => [{ kind: 'path', value, access: 'write' }];
  expect([await lines('/b'), await lines('/secret')]).toEqual([
    [lineOf({ decision: 'approved', rule: 'touch', outcome: 'ok', targets: targets('/b') })],
    [
      lineOf({
        ...{ decision: 'deny', rule: 'touch(/secret)', outcome: 'refused', code: 'TOOL_DENIED' },
        targets: targets('/secret'),
      }),
    ],
  ]);
});

test('has nothing of the arguments but what is touched, bounded and without secrets', async () => {
  const token = `ghp_${'a'.repeat(36)}`;
  const path = `/${token}/${'x'.repeat(600)}`;
  const [line] = await audited('NON_REPEATABLE', {}, { input: { path, content: 'what nobody else may read' } });
  const value = `/[redacted token]/${'x'.repeat(512)}`.slice(0, 512);
  expect(line?.targets).toEqual([{ kind: 'path', value, access: 'write' }]);
  expect(JSON.stringify(line)).not.toContain('nobody else');
});

test('tells the model the same when a line of a refused call can not be written', async () => {
  const shared = sharedLedger();
  shared.audit.add = () => Promise.reject(new TypeError('broken'));
  const bench = new ToolBench([touching('READ_ONLY')], shared);
  const { result } = await bench.call('touch', { path: '/a' }, { policy: { ...noPolicy, deny: ['touch'] } });
  expect([result.code, bench.logged]).toEqual(['TOOL_DENIED', ['error: not audited']]);
});
