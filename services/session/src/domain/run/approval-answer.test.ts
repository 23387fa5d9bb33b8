import { expect, test } from 'vitest';
import { approvalJson } from './approval-answer.ts';

test.each([
  ['{"approved":true}', '{"approved":true}'],
  [' { "approved" : false } ', '{"approved":false}'],
  ['{"reason":"not now","approved":false}', '{"approved":false,"reason":"not now"}'],
  ['{"arguments":{"b":1,"a":2},"approved":true}', '{"approved":true,"arguments":{"b":1,"a":2}}'],
])('reads %j, always in the same words', (given, stored) => {
  expect(approvalJson(given)).toBe(stored);
});

test.each([
  'true',
  'null',
  '[true]',
  '{}',
  '{"approved":"true"}',
  '{"approved":1}',
  '{"Approved":true}',
  '{"approved":true,"always":true}',
  '{"approved":true,"arguments":"ls"}',
  '{"approved":true,"arguments":null}',
  '{"approved":true,"arguments":[1]}',
  '{"approved":false,"arguments":{}}',
  '{"approved":false,"reason":7}',
  JSON.stringify({ approved: false, reason: 'x'.repeat(4001) }),
])('does not take %j for a yes or a no', (given) => {
  expect(() => approvalJson(given)).toThrow(expect.objectContaining({ reason: 'INVALID_FIELD' }));
});
