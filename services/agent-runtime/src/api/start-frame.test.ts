import { create, toBinary } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  type RunRequest,
  RunRequestSchema,
  RunSpecSchema,
  type StartFrame,
  StartFrameSchema,
} from '@spanwise/contracts/spanwise/runtime/v1/runtime';
import { InterruptAnswerSchema } from '@spanwise/contracts/spanwise/type/v1/interrupt';
import { ToolOutcome, ToolResultPartSchema } from '@spanwise/contracts/spanwise/type/v1/message';
import { ToolPolicySchema } from '@spanwise/contracts/spanwise/type/v1/policy';
import { brandId } from '@spanwise/kernel';
import { noPolicy } from '@spanwise/tool-kit/contract';
import { describe, expect, it } from 'vitest';
import { testTool } from '../../tests/doubles/test-tool.ts';
import { defaultDelegation } from '../domain/delegation/delegation.ts';
import { encodeRunSpec } from './run-spec.ts';
import { runDispatch } from './start-frame.ts';

const identity = { uid: brandId<never>('ann'), email: '', token: '' };
type Options =
  | 'model'
  | 'maxTurns'
  | 'toolsAllow'
  | 'toolsDeny'
  | 'deadline'
  | 'beginTime'
  | 'interactive'
  | 'policy'
  | 'runLayer'
  | 'turns'
  | 'threads'
  | 'spec'
  | 'results'
  | 'answers';

const fine = {
  sessionId: '00000000-0000-7000-8000-000000000001',
  runId: '00000000-0000-7000-8000-000000000002',
  epoch: 3n,
  attempt: 1,
  span: { span: { id: '0123456789abcdef', par: '' }, traceId: '0'.repeat(31).concat('1'), traceFlags: 1 },
  agent: 'default',
};
const start = (differing: Partial<typeof fine & Pick<StartFrame, Options>>): RunRequest =>
  create(RunRequestSchema, { frame: { case: 'start', value: create(StartFrameSchema, { ...fine, ...differing }) } });

describe('a start frame', () => {
  it('is a dispatch', () => {
    const deadline = timestampFromMs(1_700_000_000_005);
    const request = start({
      model: 'm',
      maxTurns: 4,
      toolsAllow: ['a'],
      toolsDeny: ['b'],
      deadline,
      interactive: true,
      policy: create(ToolPolicySchema, { allow: ['read'], ask: ['bash'], deny: ['write(/x)'] }),
      runLayer: true,
      turns: 2,
      threads: true,
    });
    expect(runDispatch(request, identity)).toEqual({
      ...fine,
      identity,
      model: 'm',
      maxTurns: 4,
      toolsAllow: ['a'],
      toolsDeny: ['b'],
      deadlineMs: 1_700_000_000_005,
      beginMs: undefined,
      interactive: true,
      policy: { allow: ['read'], ask: ['bash'], deny: ['write(/x)'] },
      runLayer: true,
      turns: 2,
      threads: true,
      spec: undefined,
      results: [],
      answers: [],
    });
  });

  it('tells a later dispatch what the run began with and what became of its calls', () => {
    const spec = {
      agent: {
        name: 'default',
        description: 'd',
        instructions: 'i',
        model: 'm',
        limits: { maxTurns: 3, timeoutMs: 1500, maxOutputTokens: 9 },
        policy: { allow: [], ask: ['bash(*)'], deny: [] },
        delegation: { agents: ['b'], maxParallel: 2, maxDepth: 1 },
      },
      tools: [
        testTool({ effect: 'idempotent', toolClass: 'interaction' }),
        testTool({ name: 'z', toolClass: 'other' }),
      ],
      delegates: [
        {
          agent: {
            name: 'b',
            description: 'e',
            instructions: 'j',
            model: 'n',
            limits: { maxTurns: 1, timeoutMs: 1000, maxOutputTokens: 2 },
            policy: { allow: [], ask: [], deny: ['bash'] },
            delegation: defaultDelegation,
          },
          tools: [testTool({ toolClass: 'delegation' })],
        },
      ],
    };
    const truncated = { shownBytes: 1n, totalBytes: 2n, fullPath: '/tool-results/a.txt' };
    const result = { callId: 'a', outcome: ToolOutcome.OK, structuredJson: '{}', code: 'X', truncated };
    const results = [create(ToolResultPartSchema, result)];
    const answers = [create(InterruptAnswerSchema, { interruptId: 'i', callId: 'b', expired: true })];
    expect(runDispatch(start({ spec: encodeRunSpec(spec), results, answers }), identity)).toMatchObject({
      spec,
      results: [{ callId: 'a', outcome: 1, content: [], structuredJson: '{}', code: 'X', truncated }],
      answers: [{ interruptId: 'i', callId: 'b', answerJson: '', expired: true, answeredBy: '' }],
      interactive: false,
      policy: noPolicy,
    });
  });

  it.each([
    ['is none', new Uint8Array([0xff])],
    ['has no agent', toBinary(RunSpecSchema, create(RunSpecSchema, { tools: [{ inputSchemaJson: '{}' }] }))],
    [
      'has a tool without schema',
      toBinary(
        RunSpecSchema,
        create(RunSpecSchema, { agent: { maxTurns: 1, maxOutputTokens: 1, timeout: {} }, tools: [{ name: 'x' }] }),
      ),
    ],
  ])('is refused when its specification %s', (_, spec) => {
    expect(() => runDispatch(start({ spec }), identity)).toThrow(
      expect.objectContaining({ reason: 'INVALID_FIELD', violations: [expect.objectContaining({ field: 'spec' })] }),
    );
  });

  it('has no layer when its driver does not ask for one: an older one would not publish it', () => {
    expect(runDispatch(start({}), identity)).toMatchObject({ runLayer: false });
  });

  it('delegates nothing when its driver does not keep threads: an older one would mix them up', () => {
    expect(runDispatch(start({}), identity)).toMatchObject({ threads: false, turns: 0 });
  });

  it('leaves the deadline to the agent when it has none', () => {
    expect(runDispatch(start({}), identity)).toMatchObject({ deadlineMs: undefined, maxTurns: 0, model: '' });
    const beginTime = timestampFromMs(1_700_000_000_007);
    expect(runDispatch(start({ beginTime }), identity)).toMatchObject({ beginMs: 1_700_000_000_007 });
  });

  it.each<[string, Parameters<typeof start>[0]]>([
    ['session_id', { sessionId: '' }],
    ['session_id', { sessionId: `${fine.sessionId} ` }],
    ['run_id', { runId: "' OR 1=1--" }],
    ['epoch', { epoch: 0n }],
    ['attempt', { attempt: 0 }],
    ['span.span', { span: { ...fine.span, span: { id: 'x', par: '' } } }],
    ['span.trace_id', { span: { ...fine.span, traceId: '' } }],
    ['max_turns', { maxTurns: -1 }],
    ['turns', { turns: -1 }],
  ])('is refused for its %s', (field, differing) => {
    expect(() => runDispatch(start(differing), identity)).toThrow(
      expect.objectContaining({ reason: 'INVALID_FIELD', violations: [expect.objectContaining({ field })] }),
    );
  });

  it('is refused when it has no span at all', () => {
    const { span: _, ...without } = fine;
    const request = create(RunRequestSchema, { frame: { case: 'start', value: without } });
    expect(() => runDispatch(request, identity)).toThrow(expect.objectContaining({ reason: 'INVALID_FIELD' }));
  });

  it('is refused when another frame comes first', () => {
    const ack = create(RunRequestSchema, { frame: { case: 'ack', value: { index: 1n } } });
    expect(() => runDispatch(ack, identity)).toThrow('The ack frame came before start.');
    expect(() => runDispatch(create(RunRequestSchema), identity)).toThrow('The frame frame came before start.');
  });
});
