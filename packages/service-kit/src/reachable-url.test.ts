import { expect, test } from 'vitest';
import { reachableUrl } from './reachable-url.ts';

test('tells the address that is listened on, and one of the machine when that is all of them', () => {
  const server = { url: 'http://10.0.0.7:7003', port: 7003 };
  expect(reachableUrl('10.0.0.7', server)).toBe(server.url);
  for (const host of ['0.0.0.0', '::']) {
    expect(reachableUrl(host, { ...server, url: `http://${host}:7003` })).toMatch(
      /^http:\/\/(?!0\.0\.0\.0)[\d.]+:7003$/,
    );
  }
});
