import { DomainError } from '@spanwise/kernel';
import { fakeClock } from '@spanwise/testing';
import { describe, expect, it } from 'vitest';
import { userMessage } from '../../../../tests/doubles/run-world.ts';
import { collect, request } from '../../../../tests/model-provider.contract.ts';
import { modelRateLimited, modelUnavailable } from '../../../domain/model/model-errors.ts';
import { asksFor, finish, says, text } from '../scripted/script.ts';
import { ScriptedModelProvider } from '../scripted/scripted-model-provider.ts';
import { decodeRecording, encodeRecording, type Recording } from './recording.ts';
import { RecordingModelProvider } from './recording-model-provider.ts';
import { ReplayModelProvider } from './replay-model-provider.ts';

const { signal } = new AbortController();

/** Records a scripted model; recordings go through their text. */
function recorder(script: ConstructorParameters<typeof ScriptedModelProvider>[0]) {
  const kept: Recording[] = [];
  const provider = new RecordingModelProvider({
    provider: new ScriptedModelProvider(script),
    clock: fakeClock(),
    keep: async (recording) => {
      const decoded = decodeRecording(encodeRecording(recording));
      expect(decoded).toEqual(recording);
      kept.push(...(decoded === undefined ? [] : [decoded]));
    },
  });
  return { provider, kept };
}

describe('a recording', () => {
  it('has the request and each part, and is played back as it was', async () => {
    const thought = { type: 'reasoning-end', providerState: Uint8Array.of(0, 255, 7) } as const;
    const steps = [{ type: 'reasoning-start' } as const, thought, ...text('Hel', 'lo.'), ...finish('stop')];
    const { provider, kept } = recorder([{ steps }]);
    const answered = await collect(provider, signal);
    expect(answered.error).toBeUndefined();
    expect(kept).toMatchObject([{ head: { version: 1, provider: 'scripted', request } }]);
    const replay = new ReplayModelProvider({ recordings: kept, isTimed: false });
    expect(await collect(replay, signal)).toEqual(answered);
  });

  it('has what the provider failed with, without its cause', async () => {
    const cause = { headers: { authorization: 'Bearer sk-secret' } };
    const { provider, kept } = recorder([{ steps: [{ type: 'fail', error: modelRateLimited(2000, cause) }] }]);
    const failed = await collect(provider, signal);
    expect(failed.error).toMatchObject({ reason: 'MODEL_RATE_LIMITED', retryAfterMs: 2000 });
    expect(kept.map(encodeRecording).join('')).not.toContain('sk-secret');
    const { error } = await collect(new ReplayModelProvider({ recordings: kept, isTimed: false }), signal);
    expect(error).toBeInstanceOf(DomainError);
    expect(error).toMatchObject({
      kind: 'exhausted',
      reason: 'MODEL_RATE_LIMITED',
      retryAfterMs: 2000,
      cause: undefined,
    });
  });

  it('is kept up to where its reader stopped, and then is incomplete', async () => {
    const { provider, kept } = recorder([says('Hel', 'lo.')]);
    for await (const part of provider.stream(request, { signal })) {
      if (part.type === 'text-delta') {
        break;
      }
    }
    const { parts, error } = await collect(new ReplayModelProvider({ recordings: kept, isTimed: false }), signal);
    expect(parts).toEqual([{ type: 'text-start' }, { type: 'text-delta', text: 'Hel' }]);
    expect(error).toMatchObject({ reason: 'STREAM_INCOMPLETE' });
  });

  it.each(['', '{}', 'no JSON', '[]', '{"version":2}'])('is not taken from %j', (text) => {
    expect(decodeRecording(text)).toBeUndefined();
  });
});

describe('a replay', () => {
  it('finds the answer by what was said, whatever the order', async () => {
    const other = { ...request, messages: [userMessage('bye')] };
    const { provider, kept } = recorder([says('Hello.'), says('Bye.')]);
    await collect(provider, signal);
    await collect(provider, signal, other);
    const replay = new ReplayModelProvider({ recordings: kept, isTimed: false });
    expect((await collect(replay, signal, other)).parts[1]).toEqual({ type: 'text-delta', text: 'Bye.' });
    expect((await collect(replay, signal)).parts[1]).toEqual({ type: 'text-delta', text: 'Hello.' });
    expect((await collect(replay, signal, { ...request, messages: [userMessage('what?')] })).error).toMatchObject({
      reason: 'MODEL_REJECTED',
    });
  });

  it('plays several answers to one dialogue in turn, and stays with the last', async () => {
    const { provider, kept } = recorder([
      { steps: [{ type: 'fail', error: modelUnavailable('it was away') }] },
      asksFor({ tool: 'read', argumentsJson: '{}' }),
    ]);
    await collect(provider, signal);
    await collect(provider, signal);
    const replay = new ReplayModelProvider({ recordings: kept, isTimed: false });
    expect((await collect(replay, signal)).error).toMatchObject({ reason: 'MODEL_UNAVAILABLE' });
    expect((await collect(replay, signal)).parts.at(-1)).toMatchObject({ reason: 'tool-calls' });
    expect((await collect(replay, signal)).parts.at(-1)).toMatchObject({ reason: 'tool-calls' });
  });
});
