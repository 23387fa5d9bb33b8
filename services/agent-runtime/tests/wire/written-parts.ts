import type { LanguageModelV4, LanguageModelV4StreamPart, LanguageModelV4Usage } from '@ai-sdk/provider';
import { AiSdkProvider } from '../../src/infrastructure/model-providers/ai-sdk/ai-sdk-provider.ts';
import { request } from '../model-provider.contract.ts';
import type { AdapterUnderTest, DoesNotApply } from './wire-contract.ts';

/** What a written model does: parts, an error that `doStream` rejects with, or parts and then silence. */
export interface WrittenAnswer {
  readonly parts: readonly LanguageModelV4StreamPart[];
  readonly rejects?: Error;
  readonly breaks?: Error;
  readonly ending?: 'end' | 'open';
}

/** A language model as the AI SDK's interface has it, without any provider's package. */
export class WrittenLanguageModel implements LanguageModelV4 {
  readonly specificationVersion = 'v4';
  readonly provider = 'written';
  readonly modelId = 'written-1';
  readonly supportedUrls = {};
  readonly calls: Parameters<LanguageModelV4['doStream']>[0][] = [];
  readonly cancelled = Promise.withResolvers<void>();
  readonly #answer: WrittenAnswer;

  constructor(answer: WrittenAnswer) {
    this.#answer = answer;
  }

  doGenerate(): never {
    throw new TypeError('only streams are asked for');
  }

  async doStream(options: Parameters<LanguageModelV4['doStream']>[0]) {
    const { parts, rejects, breaks, ending = 'end' } = this.#answer;
    this.calls.push(options);
    if (rejects !== undefined) {
      throw rejects;
    }
    const left = [...parts];
    const stream = new ReadableStream<LanguageModelV4StreamPart>({
      pull: (controller) => {
        const next = left.shift();
        if (next !== undefined) {
          controller.enqueue(next);
        } else if (breaks !== undefined) {
          controller.error(breaks);
        } else if (ending === 'end') {
          controller.close();
        }
      },
      cancel: () => this.cancelled.resolve(),
    });
    return { stream };
  }
}

function usageOf(input: number | undefined, output: number | undefined, cacheRead?: number) {
  const usage: LanguageModelV4Usage = {
    inputTokens: { total: input, noCache: undefined, cacheRead, cacheWrite: undefined },
    outputTokens: { total: output, text: undefined, reasoning: undefined },
  };
  return usage;
}

type Unified = 'stop' | 'length' | 'content-filter' | 'tool-calls' | 'error' | 'interrupted' | 'other';

export function finishOf(unified: Unified, usage = usageOf(812, 64, 512), raw: string | undefined = unified) {
  return { type: 'finish', finishReason: { unified, raw }, usage } as const;
}

export function block(kind: 'text' | 'reasoning', ...deltas: readonly string[]): LanguageModelV4StreamPart[] {
  return [
    { type: `${kind}-start`, id: '0' },
    ...deltas.map((delta) => ({ type: `${kind}-delta`, id: '0', delta }) as const),
    { type: `${kind}-end`, id: '0' },
  ];
}

export function call(id: string, toolName: string, ...pieces: readonly string[]): LanguageModelV4StreamPart[] {
  return [
    { type: 'tool-input-start', id, toolName },
    ...pieces.map((delta) => ({ type: 'tool-input-delta', id, delta }) as const),
    { type: 'tool-input-end', id },
    { type: 'tool-call', toolCallId: id, toolName, input: pieces.join('') },
  ];
}

const apiError = (statusCode: number, more: object = {}) =>
  Object.assign(new Error('The provider says no.'), { name: 'AI_APICallError', statusCode, ...more });
const read = ['{"path":', '"/library/ä.txt"}'];
const grep = '{"pattern":"x"}';
const greeting = block('text', 'Grü', 'ße, ', ' 😀', '.');
const cut = greeting.slice(0, 3);
const hundred = block('text', ...Array.from({ length: 100 }, () => 'x')).slice(0, -1);
const noWire: DoesNotApply = { doesNotApply: 'a model hands over parts, not bytes' };

/** Any language model of the AI SDK, as the interface has it. */
export const aiSdkParts: AdapterUnderTest<WrittenAnswer> = {
  name: 'ai-sdk with a written model',
  cases: {
    'split UTF-8': noWire,
    CRLF: noWire,
    comments: noWire,
    'garbage line': noWire,
    'event that is no JSON': {
      'as the packages tell it': {
        parts: [...cut, { type: 'error', error: Object.assign(new Error('x'), { name: 'AI_JSONParseError' }) }],
      },
    },
    'unknown event types': {
      'among known ones': {
        parts: [
          { type: 'stream-start', warnings: [] },
          { type: 'future' } as unknown as LanguageModelV4StreamPart,
          { type: 'ping' },
          ...greeting,
          { type: 'raw', rawValue: {} },
          finishOf('stop'),
        ],
      },
    },
    'cut without stop reason': {
      'without a finish': { parts: cut },
      'with a finish that knows no reason': {
        parts: [...cut, { ...finishOf('other'), finishReason: { unified: 'other', raw: undefined } }],
      },
      interrupted: { parts: [...cut, finishOf('interrupted')] },
      'broken off': { parts: cut, breaks: new TypeError('terminated') },
    },
    '429 with Retry-After': {
      'before the stream': { parts: [], rejects: apiError(429, { responseHeaders: { 'Retry-After': '2' } }) },
      'in the stream': {
        parts: [{ type: 'error', error: apiError(429, { responseHeaders: { 'retry-after-ms': '2000' } }) }],
      },
    },
    'error after 100 deltas': {
      'as an error': { parts: [...hundred, { type: 'error', error: new Error('Overloaded.') }] },
      'as a text': { parts: [...hundred, { type: 'error', error: 'Overloaded.' }] },
      'as a finish': { parts: [...hundred, finishOf('error')] },
    },
    'call without id': {
      'two calls with one id': {
        parts: [...call('', 'read', ...read), ...call('', 'grep', grep), finishOf('tool-calls')],
      },
    },
    'call without index': { doesNotApply: 'the parts of a call are told apart by its id' },
    'arguments in one piece': {
      'without inputs': {
        parts: [
          { type: 'tool-call', toolCallId: 'a', toolName: 'read', input: read.join('') },
          { type: 'tool-call', toolCallId: 'b', toolName: 'grep', input: grep },
          finishOf('stop'),
        ],
      },
    },
    'usage absent': { undefined: { parts: [...greeting, finishOf('stop', usageOf(undefined, undefined))] } },
    'usage absurd': { negative: { parts: [...greeting, finishOf('stop', usageOf(-1, 1e18, Number.NaN))] } },
    'abort closes the connection': { 'after a delta': { parts: block('text', 'a').slice(0, 2), ending: 'open' } },
  },
  more: {
    text: { 'as written': { parts: [...greeting, finishOf('stop')] } },
    reasoning: {
      'as written': {
        parts: [...block('reasoning', 'They greet', ' me.'), ...block('text', 'Hello.'), finishOf('stop')],
      },
    },
    calls: {
      'as written': { parts: [...call('a', 'read', ...read), ...call('b', 'grep', grep), finishOf('tool-calls')] },
    },
    length: { 'as written': { parts: [...block('text', 'And th'), finishOf('length')] } },
    'content-filter': { 'as written': { parts: [...block('text', 'And th'), finishOf('content-filter')] } },
    rejected: {
      'no such model': { parts: [], rejects: apiError(404) },
      'wrong credentials': { parts: [], rejects: apiError(401) },
      'no key': { parts: [], rejects: Object.assign(new Error('No key.'), { name: 'AI_LoadAPIKeyError' }) },
    },
  },
  async play(answer) {
    const model = new WrittenLanguageModel(answer);
    return {
      provider: new AiSdkProvider({ models: new Map([[request.model, model]]) }),
      peer: { asked: () => model.calls.length, closed: () => model.cancelled.promise },
      async [Symbol.asyncDispose]() {},
    };
  },
};
