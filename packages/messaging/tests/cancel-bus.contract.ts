import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CancelBus, CancelRequest } from '../src/index.ts';

/** Two ends of a bus: the same object in one process, two connections to a broker. */
export interface BusEnds extends AsyncDisposable {
  readonly asker: CancelBus;
  readonly holder: CancelBus;
  /** Resolves when listeners added so far hear requests. */
  ready(): Promise<void>;
}

/** What every CancelBus does. */
export function cancelBusContract(open: () => Promise<BusEnds>): void {
  let ends: BusEnds;
  const request = { runId: '00000000-0000-7000-8000-000000000001', traceparent: '00-aa-bb-01' };
  beforeAll(async () => {
    ends = await open();
  });
  afterAll(() => ends[Symbol.asyncDispose]());

  test('answers false when nobody listens', async () => {
    expect(await ends.asker.request(request)).toBe(false);
  });

  test('reaches the holder among several listeners, with the trace of the asker', async () => {
    const heard: CancelRequest[] = [];
    await using _other = ends.holder.listen(() => false);
    await using _holder = ends.holder.listen((each) => heard.push(each) > 0);
    await ends.ready();
    expect(await ends.asker.request(request)).toBe(true);
    await delay(20);
    expect(heard).toEqual([request]);
  });

  test('answers false when no listener holds the run', async () => {
    await using _other = ends.holder.listen(() => false);
    await ends.ready();
    expect(await ends.asker.request(request)).toBe(false);
  });

  test('does not call a listener that was disposed', async () => {
    const heard: CancelRequest[] = [];
    const listener = ends.holder.listen((each) => heard.push(each) > 0);
    await ends.ready();
    await listener[Symbol.asyncDispose]();
    await ends.ready();
    expect(await ends.asker.request(request)).toBe(false);
    expect(heard).toEqual([]);
  });

  test('carries 100 requests at once', async () => {
    await using _holder = ends.holder.listen(({ runId }) => runId.startsWith('held'));
    await ends.ready();
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, n) => ends.asker.request({ runId: `held-${n}`, traceparent: '' })),
    );
    expect(answers).toEqual(Array.from({ length: 100 }, () => true));
  });
}
