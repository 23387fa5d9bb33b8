import { setTimeout as delay } from 'node:timers/promises';
import { brandId, type Uid } from '@spanwise/kernel';
import { afterEach, describe, expect, test } from 'vitest';
import type { Caller } from '../../src/domain/tool/tool-call.ts';
import { ann } from '../tool-calls.ts';
import { echoTool, text } from './http-server.ts';
import { echo, Worlds } from './http-world.ts';
import { answerTo, until } from './mcp-bench.ts';

const bob: Caller = { uid: brandId<Uid>('bob'), email: '', token: 'secret-of-bob' };
const worlds = new Worlds();

afterEach(() => worlds.endAll());

describe('a server that takes the tokens of users', () => {
  const auth = { kind: 'forward_user' } as const;
  const tokens = [ann.token, bob.token];
  const toolsOf = () => [echoTool];

  test('is asked for each user apart, with their own token only', async () => {
    const { server, bench } = await worlds.make(
      {
        tokens,
        isLegacy: true,
        tools: toolsOf,
        call: ({ headers }) => text(`${headers.authorization} ${String(headers['mcp-session-id'])}`),
      },
      { auth },
    );
    const [source] = bench.servers.sources();
    await source?.prepare?.(ann, new AbortController().signal);
    expect([bench.tools(ann.uid).length, bench.tools(bob.uid).length]).toEqual([1, 0]);
    const told = await Promise.all([bench.told('web__echo', {}), bench.told('web__echo', {}, { caller: bob })]);
    const [[, token1, session1], [, token2, session2]] = told.map((line) =>
      line.replace('ok: Bearer ', 'ok ').split(' '),
    ) as [string[], string[]];
    expect([token1, token2]).toEqual(tokens);
    expect(session1).not.toBe(session2);
    expect(
      server.received.every(({ headers }) => tokens.includes(headers.authorization?.slice('Bearer '.length) ?? '')),
    ).toBe(true);
  });

  test('gets the newest token of the user, and none of anybody who has none', async () => {
    const { server, bench } = await worlds.make(
      { call: ({ headers }) => text(String(headers.authorization)) },
      { auth },
    );
    await bench.told('web__echo', {});
    const renewed = { ...ann, token: 'renewed' };
    expect(await bench.told('web__echo', {}, { caller: renewed })).toBe('ok: Bearer renewed');
    const before = server.received.length;
    const last = await bench.last('web__echo', {}, { caller: { ...ann, token: '' } });
    expect(last).toMatchObject({ interrupt: { kind: 'auth' } });
    expect(server.received).toHaveLength(before);
  });

  test('that does not take it lets the call wait until the user has signed in', async () => {
    const { server, bench } = await worlds.make({ tokens: [bob.token], call: echo }, { auth });
    expect(await bench.told('web__echo', {}, { caller: bob })).toBe('ok: echo: {}');
    const callId = bench.newId();
    const asked = await bench.last('web__echo', {}, { callId, caller: { ...bob, token: 'stale' } });
    expect(asked).toMatchObject({
      interrupt: {
        kind: 'auth',
        message: 'The server "web" did not take your token: sign in, and answer with a valid one.',
      },
    });
    const answer = answerTo(asked, { signed_in: true });
    expect(await bench.told('web__echo', {}, { callId, answer, caller: bob })).toBe('ok: echo: {}');
    expect(server.calls()).toHaveLength(2);
    const other = bench.newId();
    const again = await bench.last('web__echo', {}, { callId: other, caller: { ...bob, token: 'stale' } });
    const no = answerTo(again, { signed_in: false });
    expect(await bench.told('web__echo', {}, { callId: other, answer: no, caller: bob })).toBe('ok: echo: {}');
  });

  test('offers nothing to whose token it does not take, and says so to the model', async () => {
    const { bench } = await worlds.make({ tokens: [bob.token], call: echo }, { auth });
    expect(await bench.last('web__echo', {})).toMatchObject({ result: { outcome: 'error', code: 'UNAUTHENTICATED' } });
    // Another token is tried at once.
    expect(await bench.told('web__echo', {}, { caller: { ...ann, token: bob.token } })).toBe('ok: echo: {}');
  });

  test('has no connection any more of users who are idle', async () => {
    const { server, bench } = await worlds.make(
      { isLegacy: true, call: echo },
      { auth, bench: { times: { relistMs: 100, idleMs: 200 } } },
    );
    await bench.told('web__echo', {});
    await until(() => bench.logged.length > 0);
    await delay(600);
    const before = server.received.length;
    await delay(300);
    expect(server.received).toHaveLength(before);
    expect(await bench.told('web__echo', {})).toBe('ok: echo: {}');
  });
});

test('sends the secret of its operator to a server that has one', async () => {
  const { bench } = await worlds.make(
    { tokens: ['operators-own'], call: ({ headers }) => text(headers.authorization?.length === 20 ? 'fine' : 'none') },
    { auth: { kind: 'bearer', token: 'operators-own' } },
  );
  await bench.listed();
  expect(await bench.told('web__echo')).toBe('ok: fine');
  expect(bench.logged.join('\n')).not.toContain('operators-own');
});
