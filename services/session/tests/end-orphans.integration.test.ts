import { brandId, type MessageId, systemClock } from '@spanwise/kernel';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EndOrphans } from '../src/application/end-orphans.ts';
import { SessionHub } from '../src/application/session-hub.ts';
import type { EventData } from '../src/domain/event/agent-event.ts';
import { toAgentError } from '../src/infrastructure/agent-errors.ts';
import { protoMessageCodec } from '../src/infrastructure/codec/proto-message-codec.ts';
import { alice, beginning, eventAt, newSession, rowOf } from './builders.ts';
import { ids, type Repositories, sqliteRepositories } from './repository-sets.ts';

let repositories: Repositories;
beforeAll(async () => {
  repositories = await sqliteRepositories();
});
afterAll(() => repositories[Symbol.asyncDispose]());

function endOrphans(): EndOrphans {
  const { runs, log } = repositories;
  const spans = { export: () => undefined, traceFlags: () => 0 };
  const hub = new SessionHub();
  const instanceId = ids.uuid();
  return new EndOrphans({
    runs,
    log,
    hub,
    spans,
    codec: protoMessageCodec,
    clock: systemClock,
    ids,
    instanceId,
    toAgentError,
    report: () => undefined,
  });
}

test('ends a run in the middle of its text and its calls, so that its session takes the next', async () => {
  const session = await repositories.sessions.create(newSession());
  const request = { uid: alice, sessionId: session.id, requestId: ids.uuid(), fingerprint: 'same' };
  const { run, lastSeq, lastContextSeq } = await repositories.runs.start(request, (now) =>
    beginning(now, { requestId: request.requestId }),
  );
  const [asked, text] = [brandId<MessageId>(ids.uuid()), brandId<MessageId>(ids.uuid())];
  const said: EventData[] = [
    { case: 'toolCallStart', value: { callId: 'c', tool: 'write', messageId: asked } },
    { case: 'toolCallEnd', value: { callId: 'c', argumentsJson: '{}' } },
    { case: 'message', value: { messageId: asked, role: 3, contextSeq: 2n } },
    { case: 'textStart', value: { blockId: 'b', messageId: text } },
    { case: 'textDelta', value: { blockId: 'b', offset: 0n, text: 'Grü', elidedBytes: 0n } },
  ];
  const events = said.map((data, n) => eventAt(lastSeq + n + 1, session.id, run.id, run.epoch, data));
  const position = { sessionId: session.id, runId: run.id, epoch: run.epoch, lastSeq, lastContextSeq };
  await repositories.log.append({ position, events, contextRows: [rowOf(run.id)] });

  expect((await endOrphans().execute()).map(({ id }) => id)).toEqual([run.id]);

  const after = await repositories.log.read({ sessionId: session.id, afterSeq: lastSeq + said.length, limit: 50 });
  expect(after.map(({ data }) => data.case)).toEqual([
    'textEnd',
    'messageAbandoned',
    'toolResult',
    'message',
    'runError',
  ]);
  expect(after[0]?.data.value).toMatchObject({ blockId: 'b', length: 4n });
  expect(after[2]?.data.value).toMatchObject({ callId: 'c', outcome: 5 });
  expect(after.map(({ epoch }) => epoch)).toEqual(after.map(() => 2n));
  expect(await repositories.runs.find(session.id, run.id)).toMatchObject({ status: 'FAILED', attempt: 2 });
  expect(await repositories.sessions.find(alice, session.id)).toMatchObject({ status: 'IDLE', activeRunId: undefined });
  expect(await endOrphans().execute()).toEqual([]);
});

test('ends a run whose cancel was requested as cancelled', async () => {
  const session = await repositories.sessions.create(newSession());
  const request = { uid: alice, sessionId: session.id, requestId: ids.uuid(), fingerprint: 'same' };
  const { run } = await repositories.runs.start(request, (now) => beginning(now, { requestId: request.requestId }));
  await repositories.runs.requestCancel(session.id, run.id, 'enough', 1);
  await endOrphans().execute();
  expect(await repositories.runs.find(session.id, run.id)).toMatchObject({ status: 'CANCELLED' });
});
