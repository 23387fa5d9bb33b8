import { type AllowList, parseAllowList } from './allow-list.ts';
import { notAnAddress, notPublic, portRefused, schemeRefused, userinfoRefused } from './egress-errors.ts';
import { isPublicAddress, parseAddress } from './public-address.ts';
import { isWebPort } from './web-port.ts';

/** Longer addresses are not used by the web, and servers refuse them. */
const maxUrlLength = 8192;

/** Decides what may be reached: addresses of the web as they are written, and what their names resolve to. */
export class EgressGuard {
  readonly #allowed: AllowList;

  /** `allow`: see {@link parseAllowList}. Throws INVALID_FIELD for an entry that can not be used. */
  constructor(allow: readonly string[]) {
    this.#allowed = parseAllowList(allow);
  }

  /**
   * Reads an address of the web, without fragment and without a dot at the end of its host. The parser turns every spelling
   * of an IPv4 address (decimal, octal, hexadecimal, short) into the usual one. Throws EGRESS_REFUSED.
   */
  parse(text: string, base?: URL): URL {
    const url = text.length > maxUrlLength ? null : URL.parse(text, base);
    if (url === null || url.href.length > maxUrlLength) {
      throw notAnAddress(text);
    }
    if (url.protocol !== 'http:' && url.protocol !== 'https:') {
      throw schemeRefused(url.protocol);
    }
    if (url.username !== '' || url.password !== '') {
      throw userinfoRefused();
    }
    url.hash = '';
    url.hostname = url.hostname.replace(/\.$/u, '');
    if (url.hostname.split('.').includes('')) {
      throw notAnAddress(text);
    }
    this.#assertPort(url);
    return url;
  }

  /** Throws EGRESS_REFUSED unless every one of the addresses of a host may be reached. */
  assertReachable(host: string, port: number, addresses: readonly string[]): void {
    if (this.#allowed.hasName(host, port)) {
      return;
    }
    for (const text of addresses) {
      const address = parseAddress(text);
      const isReachable =
        address !== undefined &&
        (this.#allowed.hasAddress(address, port) || (isWebPort(port) && isPublicAddress(address)));
      if (!isReachable) {
        throw notPublic(host);
      }
    }
  }

  /** What can be refused without asking for the addresses of a name. */
  #assertPort(url: URL): void {
    const port = portOf(url);
    if (!isWebPort(port) && !this.#allowed.mentionsPort(port)) {
      throw portRefused(url.hostname, port);
    }
    const literal = bareHost(url);
    if (parseAddress(literal) !== undefined) {
      this.assertReachable(literal, port, [literal]);
    }
  }
}

/** Port of a URL, or of what undici is asked to connect to. */
export function portOf({ port, protocol }: Pick<URL, 'port' | 'protocol'>): number {
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
}

/** Host of a URL; an IPv6 address without brackets. */
function bareHost({ hostname }: Pick<URL, 'hostname'>): string {
  return hostname.replace(/^\[|\]$/gu, '');
}
