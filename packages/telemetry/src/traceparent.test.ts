import { expect, test } from 'vitest';
import { formatTraceparent, parseTraceparent } from './traceparent.ts';

test('reads back the header that it writes', () => {
  const parent = { span: { id: 'aaaaaaaaaaaaaaaa', par: '' }, traceId: '1'.repeat(32), traceFlags: 1 };
  expect(parseTraceparent(formatTraceparent(parent))).toEqual(parent);
});

test.each([
  null,
  '',
  'garbage',
  `00-${'0'.repeat(32)}-aaaaaaaaaaaaaaaa-01`,
  `00-${'1'.repeat(32)}-0000000000000000-01`,
  `ff-${'1'.repeat(32)}-aaaaaaaaaaaaaaaa-01`,
])('takes %j for no parent', (header) => {
  expect(parseTraceparent(header)).toBeUndefined();
});
