import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { AgentEventSchema } from '@spanwise/contracts/spanwise/event/v1/event';
import { describe, expect, test } from 'vitest';
import { ClientView, digestOf } from './client-view.ts';

const event = (init: MessageInitShape<typeof AgentEventSchema>) =>
  create(AgentEventSchema, { sessionId: 's', runId: 'r', epoch: 1n, ...init });
const start = event({ seq: 1n, data: { case: 'textStart', value: { blockId: 'b', messageId: 'm' } } });
const delta = (seq: bigint, offset: bigint, text: string, elidedBytes = 0n) =>
  event({ seq, data: { case: 'textDelta', value: { blockId: 'b', offset, text, elidedBytes } } });
const view = (form: 'exact' | 'told' = 'exact') => new ClientView({ client: 'c', uid: 'u', sessionId: 's', form });

describe('what a client sees', () => {
  test('has each byte of a block once, and elided chunks as the table has them', () => {
    const seen = view();
    for (const each of [start, delta(0n, 0n, 'hä'), delta(0n, 3n, 'llo'), delta(2n, 0n, '', 6n)]) {
      expect(seen.accept(each)).toBe(true);
    }
    expect(seen.blocks.get('b')?.text).toBe('hällo');
    expect(seen.durable.get(2)).toBe(digestOf(delta(2n, 0n, 'hällo')));
    expect(seen.cursor).toBe(2);
  });

  test('has a hole when text or what was elided is missing', () => {
    const seen = view();
    seen.accept(start);
    expect(seen.accept(delta(0n, 2n, 'late'))).toBe(false);
    expect(seen.accept(delta(2n, 0n, '', 4n))).toBe(false);
  });

  test('drops the blocks of an abandoned message, and at RUN_ATTEMPT those without MESSAGE', () => {
    const seen = view();
    seen.accept(start);
    seen.accept(event({ seq: 2n, data: { case: 'textStart', value: { blockId: 'c', messageId: 'n' } } }));
    seen.accept(event({ seq: 3n, data: { case: 'message', value: { messageId: 'm' } } }));
    seen.accept(event({ seq: 4n, data: { case: 'runAttempt', value: { attempt: 2 } } }));
    expect([...seen.blocks.keys()]).toEqual(['b']);
    seen.accept(event({ seq: 5n, data: { case: 'messageAbandoned', value: { messageId: 'm' } } }));
    expect(seen.blocks.size).toBe(0);
  });

  test('remembers a seq that changes its content, one out of order, and what is of another session', () => {
    const seen = view();
    seen.accept(delta(5n, 0n, 'x'));
    seen.accept(delta(5n, 0n, 'y'));
    seen.accept(delta(4n, 0n, 'z'));
    seen.accept(event({ sessionId: 'other', seq: 6n }));
    expect(seen.faults).toEqual(['seq 5 came twice with different content', 'seq 4 came after 5']);
    expect([...seen.strangers]).toEqual(['other']);
  });

  test('compares no deltas of a client that is told text once', () => {
    const seen = view('told');
    seen.accept(start);
    seen.accept(delta(2n, 0n, ''));
    expect(seen.durable.get(2)).toBe('');
    expect(seen.durable.get(1)).toBe(digestOf(start));
  });
});
