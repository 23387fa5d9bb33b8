import { expect, test } from 'vitest';
import { Notices } from './notices.ts';

test('tells paths by reason, no more than twenty of each, and odd ones escaped', () => {
  const notices = new Notices();
  notices.add('A line.');
  notices.addPath('Left out', '/workspace/a\nb');
  for (let index = 0; index < 25; index += 1) {
    notices.addPath('Too large', `/workspace/${index}`);
  }
  const shown = Array.from({ length: 20 }, (_, index) => `/workspace/${index}`).join(', ');
  expect(notices.list()).toEqual(['A line.', 'Left out: "/workspace/a\\nb".', `Too large: ${shown} and 5 more.`]);
});
