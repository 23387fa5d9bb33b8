import { ToolOutcome } from '@spanwise/contracts/spanwise/type/v1/message';
import { startTcpProxy } from '@spanwise/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { newCall } from './tool-host-client.ts';
import { done, gate, list, listing, ProviderBench, provided } from './tool-provider.ts';

let bench: ProviderBench;
beforeEach(() => {
  bench = new ProviderBench();
});
afterEach(() => bench[Symbol.asyncDispose]());

test('is ready though a provider is away, answers that it is, and uses it when it is back', async () => {
  const first = await bench.provider([provided('look', 'READ_ONLY', done)]);
  await first[Symbol.asyncDispose]();
  const host = await bench.hostOf(first.url);
  const away = await host.execute(newCall(), 'billing__look');
  expect(away.result).toMatchObject({ outcome: ToolOutcome.ERROR, code: 'TOOL_UNAVAILABLE' });
  expect(away.text).toMatch(/^The server billing can not be reached now: nothing was done/);

  const { port } = first;
  const second = await bench.provider([provided('look', 'READ_ONLY', done)], { port });
  await listing(host);
  expect((await host.execute(newCall(), 'billing__look')).text).toBe('done');

  await second[Symbol.asyncDispose]();
  expect((await host.execute(newCall(), 'billing__look')).result).toMatchObject({ code: 'TOOL_UNAVAILABLE' });
  expect((await list(host)).map(({ name }) => name)).toEqual(['billing__look']);
  await bench.provider([provided('look', 'READ_ONLY', done)], { port });
  expect((await host.execute(newCall(), 'billing__look')).text).toBe('done');
}, 20_000);

test('calls no other version than the one that was listed, and lists anew', async () => {
  const work = (text: string) => () => Promise.resolve({ text });
  const first = await bench.provider([provided('pay', 'NON_REPEATABLE', work('old'))]);
  const host = await listing(await bench.hostOf(first.url));
  await first[Symbol.asyncDispose]();
  await bench.provider([provided('pay', 'NON_REPEATABLE', work('new'), '2')], { port: first.port });
  const { result, text } = await host.execute(newCall(), 'billing__pay');
  expect(result).toMatchObject({ outcome: ToolOutcome.ERROR, code: 'TOOL_CHANGED' });
  expect(text).toBe(
    'The tool "billing__pay" has changed meanwhile: nothing was done. Call it again if it is still there.',
  );
  await expect.poll(() => list(host).then(([pay]) => pay?.version), { timeout: 2000 }).toBe('2');
  expect((await host.execute(newCall(), 'billing__pay')).text).toBe('new');
}, 20_000);

test.each([
  ['READ_ONLY', ToolOutcome.OK, 2],
  ['IDEMPOTENT', ToolOutcome.OK, 2],
  ['NON_REPEATABLE', ToolOutcome.UNKNOWN, 1],
] as const)('a %s call whose connection is lost is repeated only if it may be', async (effect, outcome, count) => {
  const keys: string[] = [];
  const begun = gate();
  const work = provided('work', effect, async ({ idempotencyKey, signal }) => {
    keys.push(idempotencyKey);
    if (keys.length === 1) {
      begun.open();
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    }
    return { text: 'worked' };
  });
  const { port } = await bench.provider([work]);
  const proxy = bench.resources.use(await startTcpProxy(port));
  const host = await listing(await bench.hostOf(`http://127.0.0.1:${proxy.port}`));
  const call = newCall();
  const executed = host.execute(call, 'billing__work');
  await begun.promise;
  proxy.cut();
  expect((await executed).result).toMatchObject({ outcome });
  expect(keys).toEqual(Array(count).fill(`${call.runId}:${call.callId}`));
  // Whoever asks for the call again is told the same, and nothing is executed.
  if (effect !== 'READ_ONLY') {
    expect((await host.execute(call, 'billing__work')).result).toMatchObject({ outcome });
    expect(keys).toHaveLength(count);
  }
});

test('finishes what goes on when a provider drains, and asks another replica for the next call', async () => {
  const begun = gate();
  const release = gate();
  const answering = (text: string) =>
    provided('who', 'NON_REPEATABLE', async () => {
      begun.open();
      await release.promise;
      return { text };
    });
  const [first, second] = [await bench.provider([answering('first')]), await bench.provider([answering('second')])];
  // A load balancer that leads new connections to the second replica once the first one drains.
  const proxy = bench.resources.use(await startTcpProxy(first.port));
  const host = await listing(await bench.hostOf(`http://127.0.0.1:${proxy.port}`));
  const going = host.execute(newCall(), 'billing__who');
  await begun.promise;
  const stopped = first.stop();
  proxy.redirect(second.port);
  const next = host.execute(newCall(), 'billing__who');
  release.open();
  expect((await going).text).toBe('first');
  expect((await next).text).toBe('second');
  await stopped;
});
