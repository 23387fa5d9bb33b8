import { brandId, type CallId, DomainError } from '@spanwise/kernel';
import type { ToolContext } from '@spanwise/tool-kit/contract';
import { expect, test } from 'vitest';
import { countingProbe, type ProbeWork, probe } from '../../tests/probe.ts';
import { ToolBench, toolCall } from '../../tests/tool-calls.ts';
import { toolLost } from '../domain/tool/tool-errors.ts';

/** A tool at work, until it is told to end. */
function gated() {
  const begun = Promise.withResolvers<ToolContext>();
  const gate = Promise.withResolvers<{ text: string }>();
  const work: ProbeWork = (context) => {
    begun.resolve(context);
    return gate.promise;
  };
  return { work, begun: begun.promise, end: (text: string) => gate.resolve({ text }) };
}

const key = toolCall('probe', {});
const unknownText = 'It is not known whether this call was executed';

test.each(['IDEMPOTENT', 'NON_REPEATABLE'] as const)(
  'executes a %s call once and answers it again as it was',
  async (effect) => {
    const { counted, tool } = countingProbe(effect);
    const bench = new ToolBench([tool]);
    const first = await bench.call('probe', {});
    const other = new ToolBench([tool], bench.shared);
    const second = await other.call('probe', {}, { epoch: 2 });
    expect(second.result).toEqual(first.result);
    expect(second.spans.map((event) => (event.type === 'span-end' ? event.status : event.name))).toEqual([
      'execute_tool probe',
      'ok',
    ]);
    expect(counted.count).toBe(1);
    expect(await bench.shared.ledger.find(key)).toMatchObject({ state: 'DONE', effect, epoch: 1 });
  },
);

test('answers a failure again, with the reason in its span', async () => {
  const missing = new DomainError('not-found', 'FILE_NOT_FOUND', 'Nothing is there.');
  const { counted, tool } = countingProbe('NON_REPEATABLE', () => Promise.reject(missing));
  const bench = new ToolBench([tool]);
  const calls = [await bench.call('probe', {}), await bench.call('probe', {})];
  for (const { result, spans } of calls) {
    expect(result).toMatchObject({ outcome: 'error', text: 'Nothing is there.' });
    expect(spans.at(-1)).toMatchObject({ status: 'error', errorType: 'FILE_NOT_FOUND' });
  }
  expect(counted.count).toBe(1);
});

test('executes READ_ONLY calls each time and keeps nothing of them', async () => {
  const { counted, tool } = countingProbe('READ_ONLY');
  const bench = new ToolBench([tool]);
  await bench.call('probe', {});
  await bench.call('probe', {});
  expect(counted.count).toBe(2);
  expect(await bench.shared.ledger.find(key)).toBeUndefined();
});

test('keeps nothing of calls whose arguments are wrong', async () => {
  const { counted, tool } = countingProbe('NON_REPEATABLE');
  const bench = new ToolBench([tool]);
  expect((await bench.call('probe', { a: 1 })).result.outcome).toBe('error');
  expect(counted.count).toBe(0);
  expect(await bench.shared.ledger.find(key)).toBeUndefined();
});

test('refuses another call with the same id', async () => {
  const write = { path: 'a', content: 'one' };
  const bench = new ToolBench();
  await bench.call('write', write);
  await expect(bench.frames('write', { ...write, content: 'two' })).rejects.toMatchObject({ reason: 'CALL_REUSED' });
  expect(bench.files.text('/workspace/a')).toBe('one');
});

test.each(['READ_ONLY', 'IDEMPOTENT'] as const)('begins nothing %s below the fence', async (effect) => {
  const { counted, tool } = countingProbe(effect);
  const bench = new ToolBench([tool]);
  await bench.shared.ledger.raiseFence(key.sessionId, 2);
  await expect(bench.frames('probe', {})).rejects.toMatchObject({ reason: 'FENCED' });
  expect(counted.count).toBe(0);
  expect((await bench.call('probe', {}, { epoch: 2 })).result.outcome).toBe('ok');
});

test.each(['on the same instance', 'on another instance'])(
  'executes a call once that comes twice at once, %s',
  async (where) => {
    const { work, begun, end } = gated();
    const { counted, tool } = countingProbe('NON_REPEATABLE', work);
    const bench = new ToolBench([tool]);
    const other = where === 'on the same instance' ? bench : new ToolBench([tool], bench.shared);
    const calls = [bench.call('probe', {}), other.call('probe', {})];
    await begun;
    end('once');
    const [first, second] = await Promise.all(calls);
    expect([first?.result.text, second?.result]).toEqual(['once', first?.result]);
    expect(counted.count).toBe(1);
  },
);

test('leaves the execution alone when one that only waits for it is cancelled', async () => {
  const { work, begun, end } = gated();
  const { counted, tool } = countingProbe('NON_REPEATABLE', work);
  const bench = new ToolBench([tool]);
  const executing = bench.call('probe', {});
  await begun;
  const caller = new AbortController();
  const waiting = (async () => {
    for await (const frame of bench.execute(key, caller.signal)) {
      expect(frame.type).toBe('span');
    }
  })();
  setTimeout(() => caller.abort(new DomainError('cancelled', 'REQUEST_CANCELLED', 'gone')), 5);
  await expect(waiting).rejects.toMatchObject({ reason: 'REQUEST_CANCELLED' });
  end('done');
  expect((await executing).result.text).toBe('done');
  expect(counted.count).toBe(1);
});

test.each([
  ['IDEMPOTENT', 'ok', 'again', 2],
  ['NON_REPEATABLE', 'unknown', unknownText, 1],
] as const)('answers a %s call whose instance died with %s', async (effect, outcome, text, count) => {
  const { work, begun, end } = gated();
  const { counted, tool } = countingProbe(effect, (context) =>
    counted.count === 1 ? work(context) : Promise.resolve({ text: 'again' }),
  );
  const dying = new ToolBench([tool]);
  const lost = dying.call('probe', {});
  await begun;
  await dying.die();
  const bench = new ToolBench([tool], dying.shared);
  const { result } = await bench.call('probe', {}, { epoch: 2 });
  expect(result).toMatchObject({ outcome, text: expect.stringContaining(text) });
  expect(counted).toEqual({ count, keys: new Set([`${key.runId}:${key.callId}`]) });
  // It was not dead after all: what it has done may have happened, but it may not tell another story.
  end('late');
  expect((await lost).result.outcome).toBe('unknown');
});

test('records a call UNKNOWN that was stopped midway, and never executes it again if that is not safe', async () => {
  const { work, begun } = gated();
  const { counted, tool } = countingProbe('NON_REPEATABLE', work);
  const bench = new ToolBench([tool]);
  const caller = new AbortController();
  const following = (async () => {
    for await (const frame of bench.execute(key, caller.signal)) {
      expect(frame.type).toBe('span');
    }
  })();
  await begun;
  const gone = new DomainError('cancelled', 'REQUEST_CANCELLED', 'gone');
  caller.abort(gone);
  await expect(following).rejects.toBe(gone);
  expect(await bench.shared.ledger.find(key)).toMatchObject({
    state: 'UNKNOWN',
    end: { result: { outcome: 'cancelled' } },
  });
  expect((await bench.call('probe', {})).result.outcome).toBe('unknown');
  expect(counted.count).toBe(1);
});

test('suspends a call, tells the same again, and executes it with the answer', async () => {
  const schema = { type: 'boolean' };
  const answers: unknown[] = [];
  const { tool } = countingProbe('IDEMPOTENT', async ({ answer }) => {
    answers.push(answer);
    return answer === undefined
      ? { suspend: { kind: 'question', message: 'Sure?', schema } }
      : { text: answer.answerJson };
  });
  const bench = new ToolBench([tool]);
  const asked = await bench.frames('probe', {});
  const last = asked.at(-1);
  if (last?.type !== 'suspended') {
    throw new TypeError('it was not suspended');
  }
  const { interrupt } = last;
  const { callId } = key;
  const facts = { kind: 'question', callId, message: 'Sure?', schemaJson: '{"type":"boolean"}' };
  expect(interrupt).toEqual({ id: expect.any(String), ...facts, expiresAtMs: 1_800_000_060_000 });
  expect(asked.at(-2)).toMatchObject({ event: { type: 'span-end', status: 'ok' } });
  const other = new ToolBench([tool], bench.shared);
  expect((await other.frames('probe', {})).at(-1)).toEqual(last);
  const answer = { interruptId: interrupt.id, answerJson: 'true', isExpired: false, answeredBy: 'ann' };
  expect((await other.call('probe', {}, { answer })).result).toMatchObject({ outcome: 'ok', text: 'true' });
  expect((await bench.call('probe', {}, { answer })).result).toMatchObject({ outcome: 'ok', text: 'true' });
  expect(answers).toEqual([undefined, answer]);
});

test('takes a READ_ONLY tool that suspends for broken', async () => {
  const suspend = { kind: 'question' as const, message: '', schema: {} };
  const bench = new ToolBench([probe({ effect: 'READ_ONLY', execute: () => Promise.resolve({ suspend }) })]);
  expect((await bench.call('probe', {})).result).toMatchObject({ outcome: 'error' });
  expect(bench.logged).toEqual(['error: tool failed']);
});

test('gives each change of a call a key of its own, the same when it is executed again', async () => {
  const tool = probe({
    effect: 'IDEMPOTENT',
    execute: async ({ files }) => {
      await files.makeDirectory('/workspace/d').catch(() => undefined);
      await files.stat('/workspace/d');
      await files.delete('/workspace/d', { isRecursive: false, etag: undefined });
      return { text: '' };
    },
  });
  const bench = new ToolBench([tool]);
  await bench.call('probe', {}, { epoch: 4, callId: brandId<CallId>('c') });
  expect(bench.files.calls.map(({ epoch, idempotencyKey }) => [epoch, idempotencyKey])).toEqual([
    [4, `${key.runId}:c:1`],
    [4, ''],
    [4, `${key.runId}:c:2`],
  ]);
});

test('knows nothing of a call whose server was lost midway, and never executes it again', async () => {
  const { counted, tool } = countingProbe('NON_REPEATABLE', () => Promise.reject(toolLost('srv')));
  const bench = new ToolBench([tool]);
  const { result } = await bench.call('probe', {});
  expect(result).toMatchObject({ outcome: 'unknown', code: 'TOOL_UNAVAILABLE' });
  expect(await bench.shared.ledger.find(key)).toMatchObject({ state: 'UNKNOWN' });
  expect((await bench.call('probe', {}, { epoch: 2 })).result.outcome).toBe('unknown');
  expect(counted.count).toBe(1);
});
