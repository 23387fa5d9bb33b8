import ipaddr from 'ipaddr.js';
import { expect, test } from 'vitest';
import { type IpAddress, isPublicAddress, parseAddress } from './public-address.ts';

/** Not globally reachable, or not unicast: the special-purpose registries of IANA, and what they leave to RFC 4291. */
const closedRanges = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  ...['192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24'],
  ...['224.0.0.0/4', '240.0.0.0/4', '255.255.255.255/32'],
  ...['::/128', '::1/128', '64:ff9b:1::/48', '100::/64', '100:0:0:1::/64', '2001::/23', '2001:2::/48', '2001:10::/28'],
  ...['2001:20::/28', '2001:db8::/32', '3fff::/20', '5f00::/16', '4000::/3', 'c000::/3', 'fc00::/7', 'fe80::/10'],
  ...['fec0::/10', 'ff00::/8'],
];

/** The outermost addresses of a range. */
function edgesOf(range: string): readonly IpAddress[] {
  const [network, bits] = ipaddr.parseCIDR(range);
  const last = network.toByteArray().map((byte, index) => byte | (0xff >> Math.min(8, Math.max(0, bits - index * 8))));
  return [network, ipaddr.fromByteArray(last)];
}

test.each(closedRanges)('has nothing of %s for public', (range) => {
  // Teredo lies in 2001::/23 and is judged by the address inside: of its outermost these are 255.255.255.255 and 0.0.0.0.
  expect(edgesOf(range).map(isPublicAddress)).toEqual([false, false]);
});

test.each([
  ...[
    '1.1.1.1',
    '8.8.8.8',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '126.255.255.255',
    '128.0.0.0',
  ],
  ...[
    '169.253.255.255',
    '169.255.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '192.167.255.255',
    '192.169.0.0',
    '198.17.255.255',
  ],
  ...[
    '198.20.0.0',
    '223.255.255.255',
    '2606:4700::1111',
    '2a00:1450:4001::200e',
    '2001:4860:4860::8888',
    '2620:fe::fe',
  ],
])('has %s for public', (address) => {
  expect(isPublicAddress(ipaddr.parse(address))).toBe(true);
});

test.each([
  ['v4-mapped', '::ffff:127.0.0.1', '::ffff:1.1.1.1'],
  ['v4-mapped, in hexadecimal', '::ffff:a9fe:a9fe', '::ffff:101:101'],
  ['v4-compatible', '::10.0.0.1', '::1.1.1.1'],
  ['NAT64', '64:ff9b::192.168.1.1', '64:ff9b::1.1.1.1'],
  ['6to4', '2002:7f00:1::', '2002:101:101::'],
  // Bits are flipped: 5601:5601 is 169.254.169.254, fefe:fefe is 1.1.1.1.
  ['Teredo', '2001:0:4136:e378:8000:63bf:5601:5601', '2001:0:4136:e378:8000:63bf:fefe:fefe'],
])('judges a %s address by the one inside', (_, closed, open) => {
  expect([closed, open].map((address) => isPublicAddress(ipaddr.parse(address)))).toEqual([false, true]);
});

test.each(['64:ff9b:1::1.1.1.1', '::ffff:0:1.1.1.1'])('has %s never for public', (address) => {
  expect(isPublicAddress(ipaddr.parse(address))).toBe(false);
});

test('reads addresses as systems write them, and nothing else', () => {
  const texts = ['10.1.2.3', 'fe80::1%eth0', '::1', '0x7f.1', '127.1', '010.0.0.1', 'example.com', ''];
  expect(texts.map((text) => parseAddress(text)?.toString())).toEqual([
    ...['10.1.2.3', 'fe80::1', '::1', undefined, undefined, undefined, undefined, undefined],
  ]);
});
