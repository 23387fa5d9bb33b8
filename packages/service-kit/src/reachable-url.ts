import { networkInterfaces } from 'node:os';

/** Addresses that mean all of the machine. */
const wildcards = new Set(['0.0.0.0', '::']);

/** Base URL at which others reach a server: who listens on all addresses is reached at the first that is not loopback. */
export function reachableUrl(host: string, { url, port }: { readonly url: string; readonly port: number }): string {
  if (!wildcards.has(host)) {
    return url;
  }
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const outward = addresses.find(({ family, internal }) => family === 'IPv4' && !internal);
  return `http://${outward?.address ?? '127.0.0.1'}:${port}`;
}
