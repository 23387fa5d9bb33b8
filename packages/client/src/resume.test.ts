import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { type AgentEvent, AgentEventSchema } from '@spanwise/contracts/spanwise/event/v1/event';
import { HandoffSchema } from '@spanwise/contracts/spanwise/session/v1/session';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type ResumeOptions, resume, type StreamMessage } from './resume.ts';
import { SpanwiseError } from './spanwise-error.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const event = (seq: number) => create(AgentEventSchema, { seq: BigInt(seq), data: { case: 'usage', value: {} } });
const refused = new SpanwiseError(Code.FailedPrecondition, 'SESSION_BUSY', 'busy');

type After = 'end' | 'hang' | 'handoff' | Error;

/** A server whose connections each tell some events and then break, end, hang or hand off. */
function server(...connections: readonly { readonly upTo: number; readonly after: After }[]) {
  const cursors: bigint[] = [];
  const openedMs: number[] = [];
  async function* open(afterSeq: bigint, signal: AbortSignal): AsyncGenerator<StreamMessage> {
    const connection = connections[Math.min(cursors.length, connections.length - 1)];
    cursors.push(afterSeq);
    openedMs.push(performance.now());
    for (let seq = Number(afterSeq) + 1; seq <= (connection?.upTo ?? 0); seq += 1) {
      yield { events: [event(seq)] };
    }
    if (connection?.after === 'hang') {
      await new Promise((_, reject) => {
        const cut = () => reject(new ConnectError('', Code.Canceled));
        signal.addEventListener('abort', cut);
        if (signal.aborted) {
          cut();
        }
      });
    } else if (connection?.after === 'handoff') {
      yield { events: [], handoff: create(HandoffSchema, { afterSeq, retryAfter: { nanos: 200_000_000 } }) };
    } else if (connection?.after instanceof Error) {
      throw connection.after;
    }
  }
  return { cursors, openedMs, stream: { open, afterSeq: 0n, isLast, isAtEnd } };
}

const isLast = ({ seq }: AgentEvent) => seq === 9n;
const isAtEnd = (last: AgentEvent | undefined) => last?.seq === 8n;

async function collect(stream: ReturnType<typeof server>['stream'], options: ResumeOptions = {}) {
  const seqs: number[] = [];
  const reading = (async () => {
    for await (const { seq } of resume(stream, options)) {
      seqs.push(Number(seq));
    }
  })();
  const outcome = reading.then(
    () => 'ended',
    (error: unknown) => error,
  );
  await vi.advanceTimersByTimeAsync(120_000);
  return { seqs, outcome: await outcome };
}

const all = [1, 2, 3, 4, 5, 6, 7, 8, 9];

test('tells every event once over ends, cuts and silence', async () => {
  const { stream, cursors } = server(
    { upTo: 2, after: 'end' },
    { upTo: 4, after: new ConnectError('cut', Code.Unavailable) },
    { upTo: 5, after: new ConnectError('reset', Code.Aborted) },
    { upTo: 7, after: 'hang' },
    { upTo: 9, after: 'end' },
  );
  expect(await collect(stream)).toEqual({ seqs: all, outcome: 'ended' });
  expect(cursors).toEqual([0n, 2n, 4n, 5n, 7n]);
});

test('never takes the end of a stream for the end of the run', async () => {
  const { stream } = server({ upTo: 3, after: 'end' });
  const { seqs, outcome } = await collect(stream, { maxBreakMs: 5_000 });
  expect(seqs).toEqual([1, 2, 3]);
  expect(outcome).toMatchObject({ reason: 'TRANSPORT' });
});

test('gives up at once when the service refuses', async () => {
  const { stream, cursors } = server({ upTo: 1, after: refused });
  expect(await collect(stream)).toEqual({ seqs: [1], outcome: refused });
  expect(cursors).toHaveLength(1);
});

test('ends without an error when the caller leaves', async () => {
  const leave = new AbortController();
  const { stream } = server({ upTo: 3, after: 'hang' });
  const reading = collect(stream, { signal: leave.signal });
  leave.abort();
  expect(await reading).toEqual({ seqs: [1, 2, 3], outcome: 'ended' });
});

test('waits as long as the service asks', async () => {
  const full = new SpanwiseError(Code.Unavailable, 'DATABASE_UNAVAILABLE', 'away', {}, 30_000);
  const { stream, openedMs } = server({ upTo: 1, after: full }, { upTo: 9, after: 'end' });
  expect(await collect(stream)).toEqual({ seqs: all, outcome: 'ended' });
  const [first = 0, second = 0] = openedMs;
  expect(second - first).toBeGreaterThanOrEqual(30_000);
});

test('ends with the stream where it may, and nowhere else', async () => {
  const { stream, cursors } = server({ upTo: 3, after: 'end' }, { upTo: 8, after: 'end' });
  expect(await collect(stream)).toEqual({ seqs: [1, 2, 3, 4, 5, 6, 7, 8], outcome: 'ended' });
  expect(cursors).toEqual([0n, 3n]);
});

test('is never cut short by a connection that breaks where it might end', async () => {
  const { stream } = server({ upTo: 8, after: new ConnectError('cut', Code.Unavailable) }, { upTo: 9, after: 'end' });
  expect(await collect(stream)).toEqual({ seqs: all, outcome: 'ended' });
});

test('goes to another replica at once when it is handed off', async () => {
  const { stream, openedMs, cursors } = server({ upTo: 8, after: 'handoff' }, { upTo: 9, after: 'end' });
  expect(await collect(stream)).toEqual({ seqs: all, outcome: 'ended' });
  const [first = 0, second = 0] = openedMs;
  expect(second - first).toBeGreaterThanOrEqual(200);
  expect(second - first).toBeLessThan(300);
  expect(cursors).toEqual([0n, 8n]);
});
