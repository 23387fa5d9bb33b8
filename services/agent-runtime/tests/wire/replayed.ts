import { modelRateLimited, modelRejected, modelUnavailable } from '../../src/domain/model/model-errors.ts';
import type { ModelPart } from '../../src/domain/model/model-part.ts';
import {
  decodeRecording,
  encodeRecording,
  failureOf,
  type RecordedStep,
} from '../../src/infrastructure/model-providers/recorded/recording.ts';
import { ReplayModelProvider } from '../../src/infrastructure/model-providers/recorded/replay-model-provider.ts';
import { calls, finish, reasoning, text } from '../../src/infrastructure/model-providers/scripted/script.ts';
import { request } from '../model-provider.contract.ts';
import type { AdapterUnderTest, DoesNotApply } from './wire-contract.ts';

const noWire: DoesNotApply = { doesNotApply: 'a recording has parts that an adapter has read already' };
const said = (...parts: readonly unknown[]): RecordedStep[] =>
  parts.map((part, index) => ({ ms: index, part: part as ModelPart }));
const greeting = text('Grü', 'ße, ', ' 😀', '.');
const usage = { inputTokens: 812n, outputTokens: 64n, cachedInputTokens: 512n };
const asked = [
  { tool: 'read', argumentsJson: ['{"path":', '"/library/ä.txt"}'] },
  { tool: 'grep', argumentsJson: '{"pattern":"x"}' },
];
const failed = (error: Parameters<typeof failureOf>[0]) => ({ ms: 0, failed: failureOf(error) });

/** Recordings, encoded and decoded. */
export const replayed: AdapterUnderTest<readonly RecordedStep[]> = {
  name: 'replay',
  cases: {
    'split UTF-8': noWire,
    CRLF: noWire,
    comments: noWire,
    'garbage line': noWire,
    'unknown event types': noWire,
    'event that is no JSON': noWire,
    'cut without stop reason': { recorded: said(...greeting.slice(0, 3)) },
    '429 with Retry-After': { recorded: [failed(modelRateLimited(2000))] },
    'error after 100 deltas': {
      recorded: [
        ...said(...text(...Array.from({ length: 100 }, () => 'x')).slice(0, 101)),
        failed(modelUnavailable('it said so')),
      ],
    },
    'call without id': noWire,
    'call without index': noWire,
    'arguments in one piece': {
      recorded: said(
        ...calls(...asked.map(({ tool, argumentsJson }) => ({ tool, argumentsJson: [argumentsJson].flat().join('') }))),
        ...finish('tool-calls'),
      ),
    },
    'usage absent': { recorded: said(...greeting, ...finish('stop', { estimated: true })) },
    'usage absurd': noWire,
    'abort closes the connection': { doesNotApply: 'a recording is played without a connection' },
  },
  more: {
    text: { recorded: said(...greeting, ...finish('stop', usage)) },
    reasoning: { recorded: said(...reasoning('They greet', ' me.'), ...text('Hello.'), ...finish('stop')) },
    calls: { recorded: said(...calls(...asked), ...finish('tool-calls')) },
    length: { recorded: said(...text('And th'), ...finish('length')) },
    'content-filter': { recorded: said(...text('And th'), ...finish('content-filter')) },
    'silent after a delta': {
      'in a pause': [...said(...text('a').slice(0, 2)), { ms: 3_600_000, part: { type: 'text-end' } }],
    },
    rejected: { recorded: [failed(modelRejected('no such model'))] },
  },
  async play(steps) {
    const head = { version: 1, provider: 'openai-chat', askedAtMs: 0, request } as const;
    const recording = decodeRecording(encodeRecording({ head, steps }));
    const provider = new ReplayModelProvider({ recordings: recording === undefined ? [] : [recording], isTimed: true });
    return { provider, async [Symbol.asyncDispose]() {} };
  },
};
