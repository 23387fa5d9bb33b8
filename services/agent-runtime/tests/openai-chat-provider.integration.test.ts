import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { OpenAiChatProvider } from '../src/infrastructure/model-providers/openai-chat/openai-chat-provider.ts';
import { chunks, done, type ModelReply, startModelServer } from './doubles/model-server.ts';
import { collect, modelProviderContract, request, type Scenario } from './model-provider.contract.ts';

const signal = new AbortController().signal;

/** An answer as it went over the wire. */
function recording(name: string): string {
  return readFileSync(new URL(`./recordings/${name}.sse`, import.meta.url), 'utf8');
}

/** Bytes one by one, so that every character and every line end is cut somewhere. */
function bytewise(text: string): ModelReply {
  return { body: [...new TextEncoder().encode(text)].map((byte) => Uint8Array.of(byte)) };
}

const error = (status: number, body: unknown, headers: Record<string, string> = {}): ModelReply => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: [JSON.stringify(body)],
});
const whole = (name: string): ModelReply => ({ body: [recording(name)] });
const wholeOf = (...names: readonly string[]) => Object.fromEntries(names.map((name) => [name, whole(name)]));
const text = recording('text');
const limited = { error: { message: 'Rate limit reached.', type: 'requests', code: 'rate_limit_exceeded' } };
const inTwoSeconds = () => new Date(Math.ceil(Date.now() / 1000) * 1000 + 2000).toUTCString();

const replies: Readonly<Record<Scenario, Readonly<Record<string, ModelReply>>>> = {
  text: {
    'as recorded': whole('text'),
    'in single bytes': bytewise(text),
    'with CRLF': { body: [text.replaceAll('\n', '\r\n')] },
    'with CRLF in single bytes': bytewise(text.replaceAll('\n', '\r\n')),
    'among comments, garbage and unknown chunks': whole('text-among-unknown'),
    'without [DONE]': { body: [text.replace('data: [DONE]\n\n', '')] },
    'without the last line end': { body: [text.trimEnd()] },
    'on a connection that is left open after [DONE]': { body: [text], ending: 'open' },
    'on a connection that is cut after the stop reason and the usage': {
      body: [text.replace('data: [DONE]\n\n', '')],
      ending: 'cut',
    },
  },
  reasoning: wholeOf('reasoning', 'reasoning-of-openrouter'),
  calls: wholeOf(
    'calls',
    'calls-interleaved',
    'calls-in-one-piece',
    'calls-without-id',
    'calls-without-index',
    'calls-without-id-and-index',
    'calls-all-with-index-0',
    'calls-with-one-id',
    'calls-with-objects',
    'calls-with-late-names',
  ),
  length: wholeOf('length'),
  'content-filter': wholeOf('content-filter'),
  'no stop reason': {
    'ended by the server': whole('cut'),
    'cut by the network': { ...whole('cut'), ending: 'cut' },
    'that claims to be done': whole('cut-but-done'),
    'with a chunk that is no JSON': whole('malformed-chunk'),
  },
  'no usage': wholeOf('text-without-usage', 'text-with-absurd-usage'),
  'rate limited': {
    'in seconds': error(429, limited, { 'retry-after': '2' }),
    'in milliseconds': error(429, limited, { 'retry-after-ms': '2000', 'retry-after': '9' }),
  },
  rejected: {
    'no such model': error(404, { error: { message: 'The model does not exist.', code: 'model_not_found' } }),
    'a bad request': error(400, { error: { message: 'Bad.', type: 'invalid_request_error' } }),
    'wrong credentials': error(401, { error: { message: 'Incorrect API key provided: sk-abc.' } }),
    'a quota that is used up': error(429, { error: { message: 'Quota.', code: 'insufficient_quota' } }),
    'a page for people': { headers: { 'content-type': 'text/html; charset=utf-8' }, body: ['<html>Sign in</html>'] },
    'an error in the stream': { body: ['data: {"error":{"message":"Bad.","type":"invalid_request_error"}}\n\n'] },
  },
  'fails after 100 deltas': {
    'as OpenAI says it': whole('error-after-100-deltas'),
    'as older vLLM says it': {
      body: [
        recording('error-after-100-deltas').replace(
          /data: \{"error".*/,
          'data: {"object":"error","message":"Out of memory","code":500}',
        ),
      ],
    },
    'as a text': { body: [recording('error-after-100-deltas').replace(/data: \{"error".*/, 'data: {"error":"boom"}')] },
  },
  'silent after a delta': { 'with the connection open': { body: [chunks({ content: 'a' })], ending: 'open' } },
};

modelProviderContract({
  name: 'openai-chat',
  recordings: Object.fromEntries(
    Object.entries(replies).map(([scenario, byName]) => [scenario, Object.keys(byName)]),
  ) as unknown as Record<Scenario, readonly string[]>,
  async play(scenario, name) {
    const reply = replies[scenario][name];
    const server = await startModelServer(...(reply === undefined ? [] : [reply]));
    return {
      provider: new OpenAiChatProvider({ baseUrl: server.url, apiKey: 'sk-test' }),
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },
});

describe('openai-chat on the wire', () => {
  it('asks with its key for a stream with usage, and does not retry by itself', async () => {
    await using server = await startModelServer(error(500, { error: { message: 'Oops.' } }));
    const provider = new OpenAiChatProvider({ baseUrl: server.url, apiKey: 'sk-test' });
    expect((await collect(provider, signal)).error).toMatchObject({ reason: 'MODEL_UNAVAILABLE' });
    expect(server.calls).toMatchObject([
      {
        path: '/v1/chat/completions',
        headers: { authorization: 'Bearer sk-test' },
        body: { model: 'test-model', stream: true, stream_options: { include_usage: true }, max_tokens: 100 },
      },
    ]);
  });

  it('closes the connection when its signal is aborted', async () => {
    await using server = await startModelServer({ body: [chunks({ content: 'a' })], ending: 'open' });
    const stop = new AbortController();
    const provider = new OpenAiChatProvider({ baseUrl: server.url, apiKey: undefined });
    const parts = provider.stream(request, { signal: stop.signal });
    await parts.next();
    await parts.next();
    stop.abort();
    await server.calls[0]?.closed;
    await expect(parts.next()).rejects.toBe(stop.signal.reason);
  });

  it('closes the connection when its reader stops reading', async () => {
    await using server = await startModelServer({ body: [chunks({ content: 'a' })], ending: 'open' });
    for await (const part of new OpenAiChatProvider({ baseUrl: server.url, apiKey: undefined }).stream(request, {
      signal,
    })) {
      expect(part).toEqual({ type: 'text-start' });
      break;
    }
    await server.calls[0]?.closed;
  });

  it('uses a connection again after a complete answer', async () => {
    const reply = { body: [chunks({ content: 'a' }, 'stop'), done] };
    await using server = await startModelServer(reply, reply, reply);
    const provider = new OpenAiChatProvider({ baseUrl: server.url, apiKey: undefined });
    for (let asked = 0; asked < 3; asked += 1) {
      expect((await collect(provider, signal)).error).toBeUndefined();
      // The end of the body is a packet of its own.
      await delay(20);
    }
    expect(new Set(server.calls.map(({ clientPort }) => clientPort)).size).toBe(1);
  });

  it('takes an answer whose connection is cut after the stop reason, with estimated usage', async () => {
    await using server = await startModelServer({ body: [chunks({ content: 'a' }, 'stop')], ending: 'cut' });
    const { parts, error: failure } = await collect(
      new OpenAiChatProvider({ baseUrl: server.url, apiKey: undefined }),
      signal,
    );
    expect(failure).toBeUndefined();
    expect(parts.slice(-2)).toMatchObject([{ usage: { estimated: true } }, { type: 'finish', reason: 'stop' }]);
  });

  it('tells a server that is not there from one that refuses', async () => {
    const server = await startModelServer();
    await server[Symbol.asyncDispose]();
    const provider = new OpenAiChatProvider({ baseUrl: server.url, apiKey: undefined });
    expect((await collect(provider, signal)).error).toMatchObject({ reason: 'MODEL_UNAVAILABLE' });
  });

  it('reads when to come back from a date', async () => {
    await using server = await startModelServer(error(503, {}, { 'retry-after': inTwoSeconds() }));
    const failure = (await collect(new OpenAiChatProvider({ baseUrl: server.url, apiKey: undefined }), signal)).error;
    expect(failure).toMatchObject({ reason: 'MODEL_UNAVAILABLE', retryAfterMs: expect.any(Number) });
    expect((failure as { retryAfterMs: number }).retryAfterMs).toBeGreaterThan(1000);
    expect((failure as { retryAfterMs: number }).retryAfterMs).toBeLessThanOrEqual(3000);
  });

  it('never passes on a message that may quote the key', async () => {
    await using server = await startModelServer(error(401, { error: { message: 'Incorrect API key: sk-secret' } }));
    const failure = (await collect(new OpenAiChatProvider({ baseUrl: server.url, apiKey: 'sk-secret' }), signal)).error;
    expect(failure).toMatchObject({ reason: 'MODEL_REJECTED' });
    expect(String(failure)).not.toContain('sk-secret');
  });

  it('takes a refusal for text and a quota in the stream for a limit', async () => {
    const quota = 'data: {"error":{"message":"Slow down.","type":"rate_limit_error","code":429}}\n\n';
    await using server = await startModelServer(whole('refusal'), { body: [quota] });
    const provider = new OpenAiChatProvider({ baseUrl: server.url, apiKey: undefined });
    const { parts } = await collect(provider, signal);
    expect(parts.flatMap((part) => (part.type === 'text-delta' ? [part.text] : [])).join('')).toBe(
      'I can not do that.',
    );
    expect((await collect(provider, signal)).error).toMatchObject({ reason: 'MODEL_RATE_LIMITED' });
  });

  it('knows what well-known models can do, and takes others for ordinary', () => {
    const provider = new OpenAiChatProvider({ baseUrl: undefined, apiKey: 'sk-test' });
    expect(provider.capabilities('gpt-5-mini')).toMatchObject({ reasoning: true, maxOutput: 128_000 });
    expect(provider.capabilities('qwen3:8b')).toMatchObject({ tools: true, reasoning: false, maxOutput: 16_384 });
  });
});
