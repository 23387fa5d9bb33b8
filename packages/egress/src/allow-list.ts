import ipaddr from 'ipaddr.js';
import { badAllowEntry } from './egress-errors.ts';
import { dialledAddress, type IpAddress, parseAddress } from './public-address.ts';
import { isWebPort } from './web-port.ts';

/** What the operator allows besides the public internet. */
export interface AllowList {
  /** Whether a host may be reached by its name, whatever it resolves to. */
  hasName(host: string, port: number): boolean;
  hasAddress(address: IpAddress, port: number): boolean;
  /** Whether an entry is for this very port. */
  mentionsPort(port: number): boolean;
}

interface Entry {
  /** Undefined: every port of the web. */
  readonly port: number | undefined;
  readonly covers: { readonly name: string } | { readonly range: readonly [IpAddress, number] };
}

/**
 * Reads the operator's list. An entry is a host name, `*.` and a name (everything below it), an address, or a range of
 * addresses (`10.1.0.0/16`, `fd00::/8`), and may end in `:port`; an IPv6 address or range then stands in brackets
 * (`[fd00::/8]:8080`). Throws INVALID_FIELD for anything else.
 */
export function parseAllowList(entries: readonly string[]): AllowList {
  const parsed = entries.map(parseEntry);
  return {
    hasName: (host, port) =>
      parsed.some((entry) => isOnPort(entry, port) && 'name' in entry.covers && isBelow(host, entry.covers.name)),
    hasAddress: (address, port) =>
      parsed.some((entry) => isOnPort(entry, port) && 'range' in entry.covers && isWithin(address, entry.covers.range)),
    mentionsPort: (port) => parsed.some((entry) => entry.port === port),
  };
}

function isOnPort(entry: Entry, port: number): boolean {
  return entry.port === undefined ? isWebPort(port) : entry.port === port;
}

function isBelow(host: string, name: string): boolean {
  return name.startsWith('*.') ? host.endsWith(name.slice(1)) : host === name;
}

function isWithin(address: IpAddress, [network, bits]: readonly [IpAddress, number]): boolean {
  const dialled = dialledAddress(address);
  return dialled.kind() === network.kind() && dialled.match(network, bits);
}

/** A host and perhaps a port; IPv6 is in brackets when there is a port. */
const withPort = /^(?:\[(?<inner>[^\]]+)\]|(?<plain>[^:[\]]+))(?::(?<port>\d{1,5}))?$/u;

function parseEntry(entry: string): Entry {
  const text = entry.trim();
  const { inner, plain, port: digits } = withPort.exec(text)?.groups ?? {};
  const port = digits === undefined ? undefined : Number(digits);
  if (port === 0 || (port ?? 0) > 65_535) {
    throw badAllowEntry(entry);
  }
  const host = inner ?? plain ?? text;
  const range = rangeOf(host);
  if (range !== undefined) {
    return { port, covers: { range } };
  }
  if (plain === undefined) {
    throw badAllowEntry(entry);
  }
  return { port, covers: { name: nameOf(plain, entry) } };
}

function rangeOf(text: string): readonly [IpAddress, number] | undefined {
  const [head = '', bits, ...rest] = text.split('/');
  const address = parseAddress(head);
  if (address === undefined || rest.length > 0 || text.includes('%')) {
    return undefined;
  }
  const longest = address instanceof ipaddr.IPv4 ? 32 : 128;
  if (bits === undefined) {
    const dialled = dialledAddress(address);
    return [dialled, dialled instanceof ipaddr.IPv4 ? 32 : 128];
  }
  return /^\d{1,3}$/u.test(bits) && Number(bits) <= longest ? [address, Number(bits)] : undefined;
}

/** A name as a URL would have it: in lower case, in Punycode, without a dot at its end. */
function nameOf(text: string, entry: string): string {
  const prefix = text.startsWith('*.') ? '*.' : '';
  const bare = text.slice(prefix.length).replace(/\.$/u, '');
  const url = URL.canParse(`http://${bare}/`) ? new URL(`http://${bare}/`) : undefined;
  // `0x7f.1` and the like are addresses in disguise, and whoever writes one means something else than a name.
  if (url === undefined || url.host === '' || /[*/?#@\\\s%]/u.test(bare) || parseAddress(url.hostname) !== undefined) {
    throw badAllowEntry(entry);
  }
  return `${prefix}${url.hostname}`;
}
