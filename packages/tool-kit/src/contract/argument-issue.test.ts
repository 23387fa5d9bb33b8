import { expect, test } from 'vitest';
import { formatPath } from './argument-issue.ts';

test.each([
  [[], ''],
  [['path'], 'path'],
  [['edits', 0, 'old_text'], 'edits[0].old_text'],
  [['a b', 'c'], '["a b"].c'],
  [['a', 'x\ny'], 'a["x\\ny"]'],
])('writes %j as people do', (path, text) => {
  expect(formatPath(path)).toBe(text);
});
