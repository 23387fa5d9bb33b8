import { DomainError } from '@spanwise/kernel';
import { expect, test } from 'vitest';
import { parseAllowList } from './allow-list.ts';
import { parseAddress } from './public-address.ts';

function allows(entries: readonly string[], host: string, port: number): boolean {
  const list = parseAllowList(entries);
  const address = parseAddress(host);
  return list.hasName(host, port) || (address !== undefined && list.hasAddress(address, port));
}

test.each([
  ['internal.example.com', 'internal.example.com', 443],
  ['INTERNAL.Example.com.', 'internal.example.com', 8080],
  ['bücher.example', 'xn--bcher-kva.example', 80],
  ['*.example.com', 'a.b.example.com', 80],
  ['localhost:8080', 'localhost', 8080],
  ['db.example.com:5432', 'db.example.com', 5432],
  ['10.1.2.3', '10.1.2.3', 443],
  ['10.1.2.3', '::ffff:10.1.2.3', 443],
  ['10.1.0.0/16', '10.1.255.255', 3000],
  ['10.1.0.0/16:25', '10.1.0.1', 25],
  ['fd00::/8', 'fd12::1', 80],
  ['::1', '::1', 80],
  ['[::1]', '::1', 80],
  ['[fd00::/8]:8080', 'fd12::1', 8080],
  ['0.0.0.0/0', '127.0.0.1', 80],
])('%s allows %s on port %i', (entry, host, port) => {
  expect(allows([entry], host, port)).toBe(true);
});

test.each([
  ['internal.example.com', 'example.com', 443],
  ['example.com', 'internal.example.com', 443],
  ['*.example.com', 'example.com', 80],
  ['*.example.com', 'evilexample.com', 80],
  ['localhost:8080', 'localhost', 80],
  ['internal.example.com', 'internal.example.com', 25],
  ['internal.example.com', 'internal.example.com', 6379],
  ['10.1.0.0/16', '10.2.0.0', 80],
  ['10.1.0.0/16:8080', '10.1.0.1', 80],
  ['fd00::/8', '10.1.0.1', 80],
])('%s does not allow %s on port %i', (entry, host, port) => {
  expect(allows([entry], host, port)).toBe(false);
});

test.each([
  ...[
    '',
    ' ',
    '10.1.0.0/33',
    '10.1/16',
    '0x7f.1',
    '127.1',
    'http://example.com',
    'example.com/path',
    'user@example.com',
  ],
  ...[
    'example.com:0',
    'example.com:70000',
    'example.com:x',
    '[example.com]',
    '*',
    '*.',
    '*.10.0.0.1',
    'a.*.example.com',
    'a b',
  ],
  ...['fe80::1%eth0', '[::1', '10.0.0.0/8/8', '::1:8080:x'],
])('refuses the entry %j', (entry) => {
  expect(() => parseAllowList([entry])).toThrow(DomainError);
});
