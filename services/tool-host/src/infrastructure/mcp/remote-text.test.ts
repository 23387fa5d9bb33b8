import { expect, test } from 'vitest';
import { isToolName, offeredName } from './remote-names.ts';
import { remoteError, remoteLine, remoteText } from './remote-text.ts';

test('calls tools by their server and their name, and tells clipped and changed ones apart', () => {
  expect(offeredName('srv', 'read_file')).toBe('srv__read_file');
  const [one, two] = [offeredName('srv', 'a.b'), offeredName('srv', 'a/b')];
  expect([one, two].map((name) => name.slice(0, -8))).toEqual(['srv__a_b_', 'srv__a_b_']);
  expect(one).not.toBe(two);
  const long = offeredName('srv', 'x'.repeat(100));
  expect(long).toMatch(/^srv__x{50}_[0-9a-f]{8}$/);
  expect(long).not.toBe(offeredName('srv', 'x'.repeat(101)));
});

test.each(['', 'a b', 'a\nb', 'x'.repeat(129), 'caf\u00e9', '\u202ename', 'a\u0000'])('refuses the name %j', (name) => {
  expect(isToolName(name)).toBe(false);
});

test('shows texts of servers clipped and without what people do not see', () => {
  expect(remoteLine('  a\u001b[31mb\u202ec\u200bd\n ', 100)).toBe('a [31mb c d');
  expect(remoteText('one\r\n\ttwo\u0007\n', 100)).toBe('one\n  two');
  expect(remoteText('\u{1f600}'.repeat(100), 5)).toBe('\u{1f600}\u{1f600}');
});

test('tells errors without stacks, paths and secrets', () => {
  const stack = 'Error: no such row\n    at query (/srv/app/db.js:10:5)\n    at main';
  expect(remoteError(stack)).toBe('Error: no such row');
  expect(remoteError('can not open /var/lib/app/secret.db: denied')).toBe('can not open [path]: denied');
  expect(remoteError('mysql://root:hunter2@db/x refused')).toBe('mysql://[redacted]@db/x refused');
  expect(remoteError('x'.repeat(10_000))).toHaveLength(500);
});
