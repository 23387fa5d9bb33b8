import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { OpenAiChatProvider } from '../src/infrastructure/model-providers/openai-chat/openai-chat-provider.ts';
import { chunks, done, startModelServer } from './doubles/model-server.ts';
import { collect } from './model-provider.contract.ts';
import { failing, recordingsIn } from './wire/replies.ts';

const signal = new AbortController().signal;

const { whole } = recordingsIn('');
const inTwoSeconds = () => new Date(Math.ceil(Date.now() / 1000) * 1000 + 2000).toUTCString();

describe('openai-chat', () => {
  it('asks with its key for a stream with usage, and does not retry by itself', async () => {
    await using server = await startModelServer(failing(500, { error: { message: 'Oops.' } }));
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
    await using server = await startModelServer(failing(503, {}, { 'retry-after': inTwoSeconds() }));
    const failure = (await collect(new OpenAiChatProvider({ baseUrl: server.url, apiKey: undefined }), signal)).error;
    expect(failure).toMatchObject({ reason: 'MODEL_UNAVAILABLE', retryAfterMs: expect.any(Number) });
    expect((failure as { retryAfterMs: number }).retryAfterMs).toBeGreaterThan(1000);
    expect((failure as { retryAfterMs: number }).retryAfterMs).toBeLessThanOrEqual(3000);
  });

  it('never passes on a message that may quote the key', async () => {
    await using server = await startModelServer(failing(401, { error: { message: 'Incorrect API key: sk-secret' } }));
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
