import { InProcessCancelBus } from '@spanwise/messaging';
import { describe, expect, it } from 'vitest';
import { busCancelListener } from './bus-cancel-listener.ts';

describe('the bus as a cancel listener', () => {
  it('hears which run is to be cancelled, and answers whether it is held here', async () => {
    await using bus = new InProcessCancelBus();
    const listening = await busCancelListener(bus).listen((runId) => runId === 'mine');
    expect(await bus.request({ runId: 'mine', traceparent: '' })).toBe(true);
    expect(await bus.request({ runId: 'other', traceparent: '' })).toBe(false);
    await listening[Symbol.asyncDispose]();
    expect(await bus.request({ runId: 'mine', traceparent: '' })).toBe(false);
  });
});
