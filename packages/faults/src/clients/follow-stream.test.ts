import { describe, expect, test } from 'vitest';
import { ClientView } from './client-view.ts';
import { followStream } from './follow-stream.ts';
import { History } from './history.ts';
import { RecordedClient } from './recorded-client.ts';

/** Follows streams that end without an event; `isOver` is asked after each. Answers why streams were opened again. */
async function reopenings(isOver: (streams: number) => boolean): Promise<readonly string[]> {
  const history = new History();
  using client = new RecordedClient({ name: 'client', uid: 'alice', baseUrl: 'http://127.0.0.1:1', history });
  const view = new ClientView({ client: 'client', uid: 'alice', sessionId: 'session', form: 'exact' });
  let streams = 0;
  await followStream({
    ...{ rpc: 'RunSession', client, view, signal: AbortSignal.timeout(5000), onEvent: () => false },
    async *open() {
      streams += 1;
      yield { events: [] };
    },
    isOver: () => isOver(streams),
  });
  return history.entries.flatMap((entry) => (entry.kind === 'reconnect' ? [entry.why] : []));
}

describe('a client that follows a stream', () => {
  test('leaves when it has ended and there is nothing more to come', async () => {
    expect(await reopenings(() => true)).toEqual([]);
  });

  test('opens it again when it has ended early', async () => {
    expect(await reopenings((streams) => streams === 2)).toEqual(['ended-early']);
  });
});
