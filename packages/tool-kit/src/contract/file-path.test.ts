import { expect, test } from 'vitest';
import { resolvePath } from './file-path.ts';

test.each([
  ['notes.md', '/workspace/notes.md'],
  ['./a//b/', '/workspace/a/b'],
  ['.', '/workspace'],
  ['', '/workspace'],
  ['..', '/'],
  ['../inputs/x', '/inputs/x'],
  ['/inputs/../workspace/./y', '/workspace/y'],
  ['../../../../etc/passwd', '/etc/passwd'],
  ['/../..', '/'],
  ['/workspace-evil', '/workspace-evil'],
  ['...', '/workspace/...'],
  ['cafe\u0301', '/workspace/caf\u00e9'],
])('resolves %j', (text, path) => {
  expect(resolvePath(text)).toBe(path);
});
