import { expect, test } from 'vitest';
import { parseProcessMessage } from './process-messages.ts';

test.each([
  { type: 'output', stream: 'stderr' },
  { type: 'exit', exitCode: 255 },
  { type: 'file', id: 1, operation: 'write', path: '/workspace/a', etag: '' },
  { type: 'file', id: 2, operation: 'read', path: '/a', offset: 0, length: 1024 * 1024 },
])('takes what the program says: $type $operation', (message) => {
  expect(parseProcessMessage(message)).toEqual(message);
});

test.each([
  ['an unknown operation', { type: 'file', id: 1, operation: 'glob', path: '/' }],
  ['a key too many', { type: 'exit', exitCode: 0, notices: ['all is well'] }],
  ['a path that is none', { type: 'file', id: 1, operation: 'stat', path: ['/etc/passwd'] }],
  ['a piece that is too long', { type: 'file', id: 1, operation: 'read', path: '/a', offset: 0, length: 8_388_608 }],
  ['an offset before the file', { type: 'file', id: 1, operation: 'read', path: '/a', offset: -1, length: 1 }],
  ['an exit code that is none', { type: 'exit', exitCode: 1e9 }],
  ['something else', 'exit'],
])('takes nothing else: %s', (_, message) => {
  expect(parseProcessMessage(message)).toBeUndefined();
});
