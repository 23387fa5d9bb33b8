import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { AckFrameSchema, HistoryFrameSchema, type RunResponse } from '@spanwise/contracts/spanwise/runtime/v1/runtime';
import { MessageSchema } from '@spanwise/contracts/spanwise/type/v1/message';
import { noPolicy } from '@spanwise/tool-kit/contract';
import { describe, expect, it } from 'vitest';
import { testTool } from '../../tests/doubles/test-tool.ts';
import { defaultDelegation } from '../domain/delegation/delegation.ts';
import { type Message, role } from '../domain/message/message.ts';
import { FrameQueue } from './frame-queue.ts';
import { decodeRunSpec } from './run-spec.ts';
import { RunStreamJournal } from './run-stream-journal.ts';
import { StreamedContext } from './streamed-context.ts';

const span = { id: '0123456789abcdef', par: '' };
const message: Message = {
  id: '00000000-0000-7000-8000-000000000001',
  role: role.assistant,
  runId: '00000000-0000-7000-8000-000000000002',
  parts: [{ part: { case: 'text', value: { text: 'eight by' } } }],
};
const ack = (index: bigint, cancelRequested = false) => create(AckFrameSchema, { index, cancelRequested });

async function framesOf(queue: FrameQueue): Promise<RunResponse['frame'][]> {
  queue.end();
  return (await Array.fromAsync(queue.frames(new AbortController().signal))).map(({ frame }) => frame);
}

describe('the journal of a run', () => {
  it('sends a checkpoint with its events and encoded messages, whose tokens are counted', async () => {
    const queue = new FrameQueue();
    const journal = new RunStreamJournal(queue);
    journal.emit({ span, data: { case: 'textDelta', value: { blockId: 'b', offset: 0n, text: 'eight by' } } });
    const value = { messageId: message.id, role: message.role, contextSeq: 0n };
    const acked = journal.checkpoint({ events: [{ span, data: { case: 'message', value } }], messages: [message] });
    journal.acknowledge(ack(1n));
    expect(await acked).toEqual({ cancelRequested: false });
    const [events, checkpoint] = await framesOf(queue);
    expect(events).toMatchObject({ case: 'events', value: { events: [{ data: { case: 'textDelta' } }] } });
    expect(checkpoint).toMatchObject({
      case: 'checkpoint',
      value: {
        index: 1n,
        events: [{ data: { case: 'message', value } }],
        contextRows: [{ role: role.assistant, tokens: 2 }],
      },
    });
    const row = checkpoint?.case === 'checkpoint' ? checkpoint.value.contextRows[0] : undefined;
    expect(fromBinary(MessageSchema, row?.message ?? new Uint8Array())).toMatchObject({ ...message, seq: 0n });
  });

  it('sends the messages of a delegate call with its thread', async () => {
    const queue = new FrameQueue();
    const value = { messageId: message.id, role: message.role, contextSeq: 0n };
    const event = { span, threadId: 'call', data: { case: 'message', value } } as const;
    void new RunStreamJournal(queue).checkpoint({ events: [event], messages: [message], threadId: 'call' });
    expect(await framesOf(queue)).toMatchObject([
      { case: 'checkpoint', value: { events: [{ threadId: 'call' }], contextRows: [{ threadId: 'call' }] } },
    ]);
  });

  it('sends what the run works with when it is told to', async () => {
    const queue = new FrameQueue();
    const limits = { maxTurns: 3, timeoutMs: 1500, maxOutputTokens: 9 };
    const agent = {
      name: 'default',
      description: 'd',
      instructions: 'i',
      model: 'm',
      limits,
      policy: noPolicy,
      delegation: defaultDelegation,
    };
    const spec = { agent, tools: [testTool(), testTool({ name: 'write', effect: 'non-repeatable' })], delegates: [] };
    void new RunStreamJournal(queue).checkpoint({ events: [], messages: [], spec });
    const [checkpoint] = await framesOf(queue);
    const bytes = checkpoint?.case === 'checkpoint' ? checkpoint.value.spec : new Uint8Array();
    expect(decodeRunSpec(bytes)).toEqual(spec);
  });

  it('numbers checkpoints from 1 and resolves each by its own ack', async () => {
    const journal = new RunStreamJournal(new FrameQueue());
    const first = journal.checkpoint({ events: [], messages: [] });
    const second = journal.checkpoint({ events: [], messages: [] });
    journal.acknowledge(ack(2n, true));
    journal.acknowledge(ack(1n));
    expect(await Promise.all([first, second])).toEqual([{ cancelRequested: false }, { cancelRequested: true }]);
  });

  it('refuses an ack of a checkpoint that is not open', () => {
    const journal = new RunStreamJournal(new FrameQueue());
    expect(() => journal.acknowledge(ack(1n))).toThrow('The ack frame names checkpoint 1, which is not open.');
  });
});

describe('the dialogue on a stream', () => {
  const history = (last: boolean, ...messages: readonly Uint8Array[]) =>
    create(HistoryFrameSchema, { messages: [...messages], last });
  const encoded = toBinary(MessageSchema, create(MessageSchema, { id: message.id, role: role.user, seq: 4n }));

  it('is complete with its last frame', async () => {
    const context = new StreamedContext();
    context.add(history(false, encoded));
    context.add(history(true, encoded));
    expect(await context.load()).toMatchObject([{ id: message.id }, { id: message.id }]);
  });

  it('is one for each thread', async () => {
    const context = new StreamedContext();
    context.add(history(false, encoded));
    context.add(create(HistoryFrameSchema, { threadId: 'call', threadMessages: [encoded, encoded] }));
    context.add(history(true));
    const lengths = [await context.load(), await context.load('call'), await context.load('other')];
    expect(lengths.map(({ length }) => length)).toEqual([1, 2, 0]);
  });

  it('fails with CONTEXT_INVALID when a message can not be read', async () => {
    const context = new StreamedContext();
    context.add(history(true, new Uint8Array([0xff, 0xff])));
    await expect(context.load()).rejects.toMatchObject({ reason: 'CONTEXT_INVALID' });
  });

  it('refuses a frame after the last', () => {
    const context = new StreamedContext();
    context.add(history(true));
    expect(() => context.add(history(true))).toThrow('The history frame came after its last frame.');
  });
});
