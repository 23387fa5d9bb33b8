import ipaddr from 'ipaddr.js';

export type IpAddress = ipaddr.IPv4 | ipaddr.IPv6;

/** The part of IPv6 from which addresses are given out to be reached from everywhere. */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');
const ipv4Compatible = ipaddr.IPv6.parseCIDR('::/96');
const wellKnownNat64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96');

/**
 * Whether an address is one of the public internet. An IPv6 address that stands for an IPv4 one (v4-mapped, v4-compatible,
 * NAT64, 6to4, Teredo) is judged by that one. The local-use NAT64 prefix 64:ff9b:1::/48 is never public: where in it the
 * IPv4 address lies depends on the network.
 */
export function isPublicAddress(address: IpAddress): boolean {
  const inner = innermost(address);
  if (inner instanceof ipaddr.IPv4) {
    return inner.range() === 'unicast';
  }
  return inner.match(globalUnicast) && inner.range() === 'unicast';
}

/** The address as it is dialled: a v4-mapped one is that IPv4 address to the operating system. */
export function dialledAddress(address: IpAddress): IpAddress {
  return address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}

/** An address in its usual spelling, or undefined for a text that is none. Without the zone of a link-local one. */
export function parseAddress(text: string): IpAddress | undefined {
  const bare = text.replace(/%.*$/u, '');
  if (ipaddr.IPv4.isValidFourPartDecimal(bare)) {
    return ipaddr.IPv4.parse(bare);
  }
  return ipaddr.IPv6.isValid(bare) ? ipaddr.IPv6.parse(bare) : undefined;
}

function innermost(address: IpAddress): IpAddress {
  if (address instanceof ipaddr.IPv4) {
    return address;
  }
  const bytes = address.toByteArray();
  if (address.isIPv4MappedAddress() || address.match(ipv4Compatible) || address.match(wellKnownNat64)) {
    return ipv4At(bytes, 12);
  }
  if (address.range() === '6to4') {
    return ipv4At(bytes, 2);
  }
  if (address.range() === 'teredo') {
    // The client's address, with every bit flipped.
    return ipv4At(
      bytes.map((byte) => byte ^ 0xff),
      12,
    );
  }
  return address;
}

function ipv4At(bytes: readonly number[], offset: number): ipaddr.IPv4 {
  return new ipaddr.IPv4(bytes.slice(offset, offset + 4));
}
