import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { HostileServers, notesIn } from './hostile-bench.ts';
import { answerTo, until } from './mcp-bench.ts';

const servers = new HostileServers();

afterEach(() => servers.stopAll());
afterAll(() => servers[Symbol.asyncDispose]());

describe('a server that asks', () => {
  test('is answered when the call is executed again, as often as it asks', async () => {
    const bench = servers.start('calls');
    await bench.listed();
    const callId = bench.newId();
    const asked = await bench.last('bad__ask', {}, { callId });
    const answer = answerTo(asked, { action: 'accept', content: { name: 'Ann' } });
    expect(await bench.told('bad__ask', {}, { callId, answer })).toBe(
      'ok: told: {"action":"accept","content":{"name":"Ann"}}',
    );
  });

  test('is not asked on without end', async () => {
    const bench = servers.start('calls');
    await bench.listed();
    const callId = bench.newId();
    let last = await bench.last('bad__again', {}, { callId });
    let rounds = 0;
    for (; last.type === 'suspended'; rounds += 1) {
      const answer = answerTo(last, { action: 'accept', content: { name: 'Ann' } });
      last = await bench.last('bad__again', {}, { callId, answer });
    }
    expect([rounds, last]).toMatchObject([
      8,
      { result: { outcome: 'error', text: expect.stringContaining('more than 8 answers of the user') } },
    ]);
  });

  test('asks one thing at a time, however much it asks', async () => {
    const bench = servers.start('calls');
    await bench.listed();
    const asked = await bench.last('bad__storm');
    expect(asked).toMatchObject({ interrupt: { message: 'The server "bad" asks:\n\nQuestion 0?' } });
    expect(await bench.told('bad__echo')).toBe('ok: echo');
  });

  test('can not ask for a tool that is said to be READ_ONLY', async () => {
    const bench = servers.start('calls', '', { effects: { ask: 'READ_ONLY' } });
    await bench.listed();
    expect(await bench.told('bad__ask')).toContain('for a tool that is said to be READ_ONLY');
  });

  test('asks nobody while calls of several users go on, and from then on has one at a time', async () => {
    const file = servers.noteFile();
    const bench = servers.start('calls', file, { timeoutMs: 2000 });
    await bench.listed();
    const { stop, ended } = bench.begin('bad__silent', {});
    await until(() => notesIn(file).includes('call silent'));
    expect(await bench.told('bad__ask')).toBe('ok: told: {"action":"cancel"}');
    stop();
    await ended;
    const both = await Promise.all([bench.last('bad__ask'), bench.last('bad__ask')]);
    expect(both.map(({ type }) => type)).toEqual(['suspended', 'suspended']);
  });
});
