import { lookup as systemLookup } from 'node:dns/promises';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import { buildConnector } from 'undici';
import { nameUnknown } from './egress-errors.ts';
import { type EgressGuard, portOf } from './egress-guard.ts';

/** All addresses of a name, IPv4 and IPv6, at least one. Rejects when there are none. */
export type ResolveName = (name: string) => Promise<readonly string[]>;

/** As the operating system resolves names: its hosts file, then DNS. */
export const resolveBySystem: ResolveName = async (name) => {
  const found = await systemLookup(name, { all: true, order: 'verbatim' });
  return found.map(({ address }) => address);
};

export interface ConnectorDeps {
  readonly guard: EgressGuard;
  readonly resolve: ResolveName;
  /** Milliseconds until a connection stands, names and TLS included. */
  readonly timeoutMs: number;
  /** PEM; undefined: the authorities that Node trusts. */
  readonly ca: string | undefined;
}

/**
 * Opens connections for undici, to checked addresses only. A name is resolved once for each connection, all of its addresses
 * are judged, and these addresses are what is dialled: nothing is resolved a second time. An error is a DomainError when the
 * guard refuses or no address is found.
 *
 * The socket is returned, so that undici can give up a connection that nobody waits for any more.
 */
export function guardedConnector({ guard, resolve, timeoutMs, ca }: ConnectorDeps): buildConnector.connector {
  return (options, callback): Socket | undefined => {
    const { hostname } = options;
    const port = portOf(options);
    // Node does not look up what is an address already.
    if (isIP(hostname) !== 0) {
      const refusal = refusalOf(() => guard.assertReachable(hostname, port, [hostname]));
      if (refusal !== undefined) {
        queueMicrotask(() => callback(refusal, null));
        return undefined;
      }
    }
    // One for each connection: sessions of TLS are not shared between callers.
    const connect = buildConnector({
      allowH2: false,
      autoSelectFamily: true,
      lookup: guardedLookup(guard, resolve, port),
      // Said here, so that no variable of the environment can say otherwise.
      rejectUnauthorized: true,
      timeout: timeoutMs,
      ...(ca === undefined ? {} : { ca }),
    });
    return socketOf(
      connect(options, (...[error, socket]) => {
        const address = socket?.remoteAddress;
        const refusal =
          address === undefined ? undefined : refusalOf(() => guard.assertReachable(hostname, port, [address]));
        if (refusal !== undefined) {
          socket?.destroy();
          callback(refusal, null);
        } else if (error === null) {
          callback(null, socket);
        } else {
          callback(error, null);
        }
      }),
    );
  };
}

function guardedLookup(guard: EgressGuard, resolve: ResolveName, port: number): LookupFunction {
  return (hostname, { all }, callback) => {
    resolveChecked(guard, resolve, hostname, port).then(
      (addresses) => {
        const [first] = addresses;
        if (all === true || first === undefined) {
          callback(null, [...addresses]);
        } else {
          callback(null, first.address, first.family);
        }
      },
      (error: Error) => callback(error, []),
    );
  };
}

async function resolveChecked(guard: EgressGuard, resolve: ResolveName, hostname: string, port: number) {
  let addresses: readonly string[];
  try {
    addresses = await resolve(hostname);
  } catch (error) {
    throw nameUnknown(hostname, error);
  }
  const usable = addresses.map((address) => ({ address, family: isIP(address) }));
  if (usable.length === 0 || usable.some(({ family }) => family === 0)) {
    throw nameUnknown(hostname, undefined);
  }
  guard.assertReachable(hostname, port, addresses);
  return usable;
}

function refusalOf(check: () => void): Error | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new TypeError(String(error));
  }
}

/** undici's connector returns its socket, which its types do not tell. */
function socketOf(returned: unknown): Socket {
  return returned as Socket;
}
