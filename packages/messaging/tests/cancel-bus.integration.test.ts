import { setTimeout as delay } from 'node:timers/promises';
import { natsServerUrl, startNats } from '@spanwise/testing';
import { describe, expect, test } from 'vitest';
import { InProcessCancelBus, NatsCancelBus } from '../src/index.ts';
import { cancelBusContract } from './cancel-bus.contract.ts';

describe('InProcessCancelBus', () => {
  cancelBusContract(async () => {
    const bus = new InProcessCancelBus();
    return {
      asker: bus,
      holder: bus,
      ready: async () => undefined,
      [Symbol.asyncDispose]: () => bus[Symbol.asyncDispose](),
    };
  });
});

describe.skipIf(natsServerUrl === undefined)('NatsCancelBus', () => {
  const url = natsServerUrl ?? '';

  cancelBusContract(async () => {
    const asker = new NatsCancelBus({ url, name: 'asker' });
    const holder = new NatsCancelBus({ url, name: 'holder' });
    await Promise.all([asker.ready(), holder.ready()]);
    return {
      asker,
      holder,
      ready: () => holder.ready(),
      async [Symbol.asyncDispose]() {
        await Promise.all([asker[Symbol.asyncDispose](), holder[Symbol.asyncDispose]()]);
      },
    };
  });

  test('answers false at once while the broker is away, and hears again when it is back', async () => {
    const first = await startNats();
    const port = Number(new URL(first?.url ?? '').port);
    await using bus = new NatsCancelBus({ url: first?.url ?? '', name: 'both' });
    await using _holder = bus.listen(() => true);
    await bus.ready();
    expect(await bus.request({ runId: 'r', traceparent: '' })).toBe(true);

    await first?.[Symbol.asyncDispose]();
    expect(await bus.request({ runId: 'r', traceparent: '' })).toBe(false);

    const second = await startNats(port);
    let isHeard = false;
    for (let tries = 0; tries < 100 && !isHeard; tries += 1) {
      await delay(100);
      isHeard = await bus.request({ runId: 'r', traceparent: '' });
    }
    await second?.[Symbol.asyncDispose]();
    expect(isHeard).toBe(true);
  });

  test('opens and closes without a broker', async () => {
    const bus = new NatsCancelBus({ url: 'nats://127.0.0.1:1', name: 'alone' });
    expect(await bus.request({ runId: 'r', traceparent: '' })).toBe(false);
    await bus[Symbol.asyncDispose]();
  });
});
