import { brandId, type CallId } from '@spanwise/kernel';
import { expect, test } from 'vitest';
import { toolCall } from '../../../tests/tool-calls.ts';
import { failedEnd } from '../../domain/tool/tool-call.ts';
import { callMetrics } from './call-metrics.ts';

/** A meter that writes down what is told to it. */
function writtenMeter() {
  const written: string[] = [];
  const write = (name: string) => (value: number, attributes: object) =>
    void written.push(`${name} ${value} ${Object.values(attributes).join(' ')}`);
  const meter = {
    createHistogram: (name: string) => ({ record: write(name) }),
    createUpDownCounter: (name: string) => ({ add: write(name) }),
  };
  return { written, meter: meter as unknown as Parameters<typeof callMetrics>[0]['meter'] };
}

test('tells by tool how long calls take and how they end, and how many go on', () => {
  const { written, meter } = writtenMeter();
  let nowMs = 0;
  const clock = { monotonicMs: () => (nowMs += 250) };
  const metrics = callMetrics({ meter, clock, isTool: (name) => name === 'read' });
  const callId = brandId<CallId>('c');
  metrics.begin(toolCall('read', {}))({ type: 'ended', end: failedEnd(callId, 'error', 'x', 'FILE_NOT_FOUND') });
  metrics.begin(toolCall('made up', {}))('stopped');
  const interrupt = { id: 'i', kind: 'approval', callId, message: '', schemaJson: '', expiresAtMs: 0 } as const;
  metrics.begin(toolCall('read', {}))({ type: 'suspended', interrupt });
  expect(written).toEqual([
    'spanwise.tool.calls.active 1 read',
    'spanwise.tool.calls.active -1 read',
    'spanwise.tool.call.duration 0.25 read error FILE_NOT_FOUND',
    'spanwise.tool.calls.active 1 _other',
    'spanwise.tool.calls.active -1 _other',
    'spanwise.tool.call.duration 0.25 _other stopped',
    'spanwise.tool.calls.active 1 read',
    'spanwise.tool.calls.active -1 read',
    'spanwise.tool.call.duration 0.25 read asked_approval',
  ]);
});
