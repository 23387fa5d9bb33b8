import type { SpanwiseClient } from '@spanwise/client';
import type { AgentEvent } from '@spanwise/contracts/spanwise/event/v1/event';
import { mysqlServerUrl, type OtlpReceiver, startOtlpReceiver } from '@spanwise/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answerText, follow, seqs } from './follow.ts';
import { type ReplicaPair, startReplicaPair } from './replica-pair.ts';
import { longText } from './scripts.ts';
import { brokenRules } from './well-formed.ts';

describe.skipIf(mysqlServerUrl === undefined)('two replicas on MySQL and NATS', () => {
  let collector: OtlpReceiver;
  let pair: ReplicaPair;
  let here: SpanwiseClient;
  let there: SpanwiseClient;

  beforeAll(async () => {
    collector = await startOtlpReceiver();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '100' };
    pair = await startReplicaPair({ name: 'e2e', deltaMs: 5, env });
    ({ here, there } = pair);
  }, 90_000);
  afterAll(async () => {
    await pair[Symbol.asyncDispose]();
    await collector[Symbol.asyncDispose]();
  }, 60_000);

  test('shows a run that one replica drives on the other, event for event', async () => {
    const session = await here.createSession();
    const stop = new AbortController();
    const watched: AgentEvent[] = [];
    const watching = (async () => {
      for await (const event of there.watch({ sessionId: session.id }, { signal: stop.signal })) {
        watched.push(event);
        if (event.data.case === 'runEnd') {
          stop.abort();
        }
      }
    })();
    const followed = follow(here, session.id, 'long');
    await followed.done;
    await watching;
    expect(brokenRules(followed.events)).toEqual([]);
    expect(seqs(watched)).toEqual(seqs(followed.events));
    expect(answerText(watched)).toBe(longText);
    expect(answerText(followed.events)).toBe(longText);
  });

  test('cancels over the broker from the replica that does not drive the run', async () => {
    const session = await here.createSession();
    const followed = follow(here, session.id, 'long');
    await followed.saw('textDelta');
    expect(await there.cancel(session.id)).toBe(true);
    await followed.done;
    expect(brokenRules(followed.events)).toEqual([]);
    expect(followed.events.at(-1)?.data).toMatchObject({ case: 'runEnd', value: { outcome: 2 } });
    const next = follow(there, session.id, 'and now here');
    await next.done;
    expect(answerText(next.events)).toContain('and now here. ä😀');
  });

  test('exports the spans of the log: same ids, parents, names, services and times', async () => {
    const session = await here.createSession();
    const followed = follow(here, session.id, 'call read {"path":"/library/README.md"}');
    await followed.done;
    const run = await followed.run;
    const { spans } = await there.sessions.listSpans({ sessionId: session.id, runId: run.id, pageSize: 200 });
    const ids = new Set(spans.map(({ span }) => span?.id));
    const received = () => collector.spans.filter(({ spanId }) => ids.has(spanId));
    await expect.poll(() => received().length, { timeout: 10_000 }).toBe(spans.length);
    const logged = spans.map(({ span, traceId, name, service }) => {
      return { spanId: span?.id, parentSpanId: span?.par, traceId, name, service };
    });
    const exported = received().map(({ spanId, parentSpanId, traceId, name, service }) => {
      return { spanId, parentSpanId, traceId, name, service };
    });
    expect(exported).toHaveLength(logged.length);
    expect(exported).toEqual(expect.arrayContaining(logged));
    expect(new Set(logged.map(({ service }) => service))).toEqual(new Set(['session', 'agent-runtime', 'tool-host']));

    const leaves = collector.spans.filter(({ traceId, spanId }) => traceId === run.span?.traceId && !ids.has(spanId));
    expect(leaves.map(({ service }) => service)).toContain('filesystem');
    expect(leaves.filter(({ parentSpanId }) => !ids.has(parentSpanId))).toEqual([]);
  });

  test('cancels through the poll while the broker is away', async () => {
    await pair.stopBroker();
    const session = await here.createSession();
    const followed = follow(here, session.id, 'long');
    await followed.saw('textDelta');
    expect(await there.cancel(session.id)).toBe(true);
    await followed.done;
    expect(followed.events.at(-1)?.data).toMatchObject({ case: 'runEnd', value: { outcome: 2 } });
    expect(answerText(followed.events).length).toBeLessThan(longText.length);
  });
});
