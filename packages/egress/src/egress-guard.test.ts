import { DomainError } from '@spanwise/kernel';
import { expect, test } from 'vitest';
import { EgressGuard } from './egress-guard.ts';

const guard = new EgressGuard(['build.example:8080', '10.9.0.0/16', 'mail.example:25']);

function problemOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return error instanceof DomainError ? `${error.reason}: ${error.message}` : String(error);
  }
  return 'none';
}

test('reads an address without fragment and dots at the end of the host', () => {
  const spellings = ['HTTP://Example.COM:80/a/../b?q=1#top', 'http://example.com.', 'https://bücher.example:8443/ü'];
  expect(spellings.map((text) => guard.parse(text).href)).toEqual([
    'http://example.com/b?q=1',
    'http://example.com/',
    'https://xn--bcher-kva.example:8443/%C3%BC',
  ]);
});

test.each([
  ['', 'is not an address of the web'],
  ['example.com/page', 'is not an address of the web'],
  ['//example.com', 'is not an address of the web'],
  ['http://', 'is not an address of the web'],
  ['http://a..b/', 'is not an address of the web'],
  ['http://localhost../', 'is not an address of the web'],
  [`http://example.com/${'a'.repeat(9000)}`, 'is not an address of the web'],
  [`http://example.com/${'ü'.repeat(2000)}`, 'is not an address of the web'],
  ['ftp://example.com/', 'Only http and https'],
  ['file:///etc/passwd', 'Only http and https'],
  ['gopher://example.com/', 'Only http and https'],
  ['data:text/html,x', 'Only http and https'],
  ['javascript:alert(1)', 'Only http and https'],
  ['http://ann@example.com/', 'user name or password'],
  ['http://:secret@example.com/', 'user name or password'],
  ['http://example.com:22/', 'Port 22 of "example.com"'],
  ['http://example.com:6379/', 'Port 6379 of "example.com"'],
  ['http://example.com:0/', 'Port 0 of "example.com"'],
  ['http://127.0.0.1/', 'not a public address'],
  ['http://2130706433/', 'not a public address'],
  ['http://0x7f.1/', 'not a public address'],
  ['http://[::1]/', 'not a public address'],
  ['http://[64:ff9b::7f00:1]/', 'not a public address'],
  ['http://10.8.0.1/', 'not a public address'],
  // The port is that of another entry.
  ['http://10.9.0.1:25/', 'not a public address'],
])('refuses %s', (text, problem) => {
  expect(problemOf(() => guard.parse(text))).toContain(problem);
});

test('lets a name through when all of its addresses may be reached, or the operator names it', () => {
  const reach = (host: string, port: number, ...addresses: string[]) =>
    problemOf(() => guard.assertReachable(host, port, addresses));
  const refused = (host: string) =>
    `EGRESS_REFUSED: "${host}" can not be reached from here: it is not a public address.`;
  expect([
    reach('example.com', 443, '1.1.1.1', '2606:4700::1111'),
    reach('example.com', 443, '1.1.1.1', '127.0.0.1'),
    reach('example.com', 443, '1.1.1.1', 'fe80::1%eth0'),
    reach('example.com', 443, 'rubbish'),
    reach('example.com', 80, '10.9.1.1', '1.1.1.1'),
    reach('example.com', 25, '1.1.1.1'),
    reach('build.example', 8080, '127.0.0.1'),
    reach('build.example', 80, '127.0.0.1'),
    reach('mail.example', 25, '192.168.0.1'),
  ]).toEqual([
    'none',
    refused('example.com'),
    refused('example.com'),
    refused('example.com'),
    'none',
    refused('example.com'),
    'none',
    refused('build.example'),
    'none',
  ]);
});
