import { brandId, type Uid } from '@spanwise/kernel';
import { describe, expect, it } from 'vitest';
import type { MemoryTool } from '../../tests/doubles/memory-tool-host.ts';
import { RunWorld } from '../../tests/doubles/run-world.ts';
import { toolOutcome } from '../domain/message/message.ts';
import { asksFor, says } from '../infrastructure/model-providers/scripted/script.ts';

const call = (tool: string) => ({ tool, argumentsJson: '{}' });
const signedIn = '{"signed_in":true}';

/** Tools that can not go on before the user has signed in; told that nobody does, they fail. */
const readProfile: MemoryTool = { name: 'read', effect: 'read-only', run: (_, { answer }) => refusing(answer, 'tea') };
const writeProfile: MemoryTool = {
  name: 'write',
  effect: 'idempotent',
  run: (_, { answer }) => refusing(answer, 'wrote'),
};

function refusing(answer: string | undefined, output: string) {
  if (answer === '') {
    throw new TypeError('The user has not signed in.');
  }
  return answer === signedIn ? output : { asks: 'Sign in.' };
}

const results = ({ journal }: RunWorld) =>
  journal.said('toolResult').map(({ outcome, content }) => [outcome, content[0]?.content.value]);
const interrupts = ({ journal }: RunWorld) => journal.said('interrupt').map(({ interrupt }) => interrupt);
const tools = [readProfile, writeProfile];

describe('calls whose disk wants the user to sign in', () => {
  const waiting = async () => {
    const world = new RunWorld({ script: [asksFor(call('read'), call('write'), call('read'))], tools });
    expect(await world.run()).toMatchObject({ ended: 'yielded', why: 'waiting' });
    return world;
  };

  it('wait, each for its own interrupt, and are executed again once that is answered', async () => {
    const first = await waiting();
    expect(interrupts(first).map(({ message }) => message)).toEqual(['Sign in.', 'Sign in.', 'Sign in.']);
    const answers = Object.fromEntries(interrupts(first).map(({ callId }) => [callId, signedIn]));
    const identity = { uid: brandId<Uid>('ann'), email: '', token: 'fresh-token' };
    const second = first.again({ script: [says('done')], answers, dispatch: { identity } });
    expect(await second.run()).toMatchObject({ ended: 'completed', finish: 'stop' });
    expect(results(second)).toEqual(['tea', 'wrote', 'tea'].map((text) => [toolOutcome.ok, text]));
    expect(second.toolHost.executions.slice(3).map(({ run }) => run.identity)).toEqual([identity, identity, identity]);
    expect(JSON.stringify(second.model.requests)).not.toContain('fresh-token');
  });

  it('wait still, for the same interrupts, when the dispatch was lost before the run did', async () => {
    const first = await waiting();
    const second = first.again({ script: [] });
    expect(await second.run()).toMatchObject({ ended: 'yielded', why: 'waiting' });
    const byCall = ({ callId: a }: { callId: string }, { callId: b }: { callId: string }) => (a < b ? -1 : 1);
    expect(interrupts(second).toSorted(byCall)).toEqual(interrupts(first).toSorted(byCall));
    expect(results(second)).toEqual([]);
  });

  it('wait still when the disk would take the old token again, so that no interrupt is left behind', async () => {
    let isRefused = true;
    const moody: MemoryTool = { ...readProfile, run: () => (isRefused ? { asks: 'Sign in.' } : 'tea') };
    const first = new RunWorld({ script: [asksFor(call('read'))], tools: [moody] });
    await first.run();
    isRefused = false;
    const second = first.again({ script: [] });
    expect(await second.run()).toMatchObject({ ended: 'yielded', why: 'waiting' });
    expect(interrupts(second)).toEqual(interrupts(first));
    expect(second.toolHost.executions).toHaveLength(1);
  });

  it('fail at once, and tell the model, when nobody is there to sign in', async () => {
    const asked = asksFor(call('read'), call('write'));
    const world = new RunWorld({ script: [asked, says('done')], tools, dispatch: { interactive: false } });
    expect(await world.run()).toMatchObject({ ended: 'completed', finish: 'stop' });
    expect(interrupts(world)).toEqual([]);
    const text = expect.stringContaining('has not signed in');
    expect(results(world)).toEqual([
      [toolOutcome.error, text],
      [toolOutcome.error, text],
    ]);
    expect(world.toolHost.executions.map(({ answer }) => answer?.expired)).toEqual([undefined, true, undefined, true]);
  });

  it('end without an answer when nobody is there and the tool goes on asking', async () => {
    const stubborn: MemoryTool = { ...writeProfile, run: () => ({ asks: 'Sign in.' }) };
    const world = new RunWorld({
      script: [asksFor(call('write')), says('done')],
      tools: [stubborn],
      dispatch: { interactive: false },
    });
    expect(await world.run()).toMatchObject({ ended: 'completed' });
    expect(results(world)).toEqual([
      [toolOutcome.error, 'Nobody is there to answer what this call asks. Go on without it.'],
    ]);
  });
});
