import { create } from '@bufbuild/protobuf';
import { type AgentEvent, AgentEventSchema } from '@spanwise/contracts/spanwise/event/v1/event';
import { expect, test } from 'vitest';
import { DeltaFilter, hole } from './delta-filter.ts';

function delta(offset: number, text: string, { seq = 0, elidedBytes = 0 } = {}): AgentEvent {
  const value = { blockId: 'b', offset: BigInt(offset), text, elidedBytes: BigInt(elidedBytes) };
  return create(AgentEventSchema, { seq: BigInt(seq), data: { case: 'textDelta', value } });
}

function textOf(passed: AgentEvent | typeof hole | undefined): string | undefined {
  return passed === hole || passed?.data.case !== 'textDelta' ? undefined : passed.data.value.text;
}

test('passes live deltas, and their chunk without its text', () => {
  const filter = new DeltaFilter();
  expect(textOf(filter.pass(delta(0, 'Grü')))).toBe('Grü');
  expect(textOf(filter.pass(delta(4, 'ße')))).toBe('ße');
  expect(textOf(filter.pass(delta(0, 'Grüße', { seq: 7 })))).toBe('');
  expect(textOf(filter.pass(delta(0, '', { seq: 7, elidedBytes: 7 })))).toBe('');
});

test('passes of a chunk only what lies beyond the text that was told', () => {
  const filter = new DeltaFilter();
  filter.pass(delta(0, 'Grü'));
  const passed = filter.pass(delta(0, 'Grüße', { seq: 7 }));
  expect(passed).toMatchObject({ seq: 7n, data: { value: { text: 'ße', offset: 4n } } });
});

test('drops a live delta that was told before', () => {
  const filter = new DeltaFilter();
  filter.pass(delta(0, 'Hello'));
  expect(filter.pass(delta(0, 'Hel'))).toBeUndefined();
});

test('finds a hole before a delta, and in elided text', () => {
  const opened = () => {
    const filter = new DeltaFilter();
    filter.pass(create(AgentEventSchema, { seq: 6n, data: { case: 'textStart', value: { blockId: 'b' } } }));
    return filter;
  };
  expect(opened().pass(delta(3, 'lo'))).toBe(hole);
  expect(opened().pass(delta(0, '', { seq: 7, elidedBytes: 5 }))).toBe(hole);
  expect(new DeltaFilter().pass(delta(0, '', { seq: 7, elidedBytes: 5 }))).toBe(hole);
});

test('begins in the middle of a block where the stream does', () => {
  const filter = new DeltaFilter();
  expect(textOf(filter.pass(delta(2200, 'after', { seq: 8 })))).toBe('after');
  expect(textOf(filter.pass(delta(2200, 'after')))).toBe(undefined);
  expect(filter.pass(delta(2210, 'hole'))).toBe(hole);
});
test('begins anew for another block of the same name after its end', () => {
  const filter = new DeltaFilter();
  filter.pass(delta(0, 'Hello'));
  const end = create(AgentEventSchema, { data: { case: 'textEnd', value: { blockId: 'b', length: 5n } } });
  expect(filter.pass(end)).toBe(end);
  expect(textOf(filter.pass(delta(0, 'Again')))).toBe('Again');
});

test('forgets what was open when the run is dispatched again', () => {
  const filter = new DeltaFilter();
  filter.pass(delta(0, 'Hello'));
  filter.pass(create(AgentEventSchema, { seq: 4n, data: { case: 'runAttempt', value: { attempt: 2 } } }));
  expect(textOf(filter.pass(delta(0, 'Hi')))).toBe('Hi');
});

test('passes what is told of a run at its end, and keeps nothing of it', () => {
  const filter = new DeltaFilter();
  const told = [
    create(AgentEventSchema, { seq: 8n, data: { case: 'outputFile', value: { path: '/out/a', size: 5n, etag: 'e' } } }),
    create(AgentEventSchema, { seq: 9n, data: { case: 'runRolledBack', value: { firstContextSeq: 1n } } }),
  ];
  expect(told.map((event) => filter.pass(event))).toEqual(told);
});
