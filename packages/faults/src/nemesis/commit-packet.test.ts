import { expect, test } from 'vitest';
import { isCommit } from './commit-packet.ts';

const packet = (command: number, text: string) => {
  return Buffer.concat([Buffer.from([text.length + 1, 0, 0, 0, command]), Buffer.from(text)]);
};

test('a commit is told from other statements, and from values that say so', () => {
  expect([packet(3, 'commit'), packet(3, 'COMMIT'), packet(3, '\0\x01commit')].map(isCommit)).toEqual([
    true,
    true,
    true,
  ]);
  const others = [
    packet(3, 'begin'),
    packet(3, 'rollback'),
    packet(23, 'commit'),
    packet(3, 'select * from t -- commit'),
  ];
  expect([...others, Buffer.from('commit'), Buffer.alloc(0)].filter(isCommit)).toEqual([]);
});
