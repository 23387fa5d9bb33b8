import { type Client, createClient } from '@connectrpc/connect';
import {
  SessionPeerService,
  type TailEntry,
  type TailSessionResponse,
} from '@spanwise/contracts/spanwise/session/v1/peer';
import type { RunId, SessionId } from '@spanwise/kernel';
import { createInternalTransport, type InternalTransport, toDomainError } from '@spanwise/service-kit';
import type { Telemetry } from '@spanwise/telemetry';
import { type Peers, peerProofHeader, type TailStep } from '../../application/ports/peers.ts';
import type { AgentEvent } from '../../domain/event/agent-event.ts';
import { elided } from '../../domain/event/delta.ts';

/** How long a replica has to answer what is only told to it. */
const notifyMs = 1000;
/** A server lets one connection have 256 streams; the next call would wait for ever. */
const maxTailsOfConnection = 200;

export interface ConnectPeersDeps {
  readonly telemetry: Telemetry;
  /** Makes the proof that this is a replica. */
  readonly sign: () => string;
}

interface Connection {
  readonly transport: InternalTransport;
  readonly client: Client<typeof SessionPeerService>;
  calls: number;
}

/**
 * The other replicas over SessionPeerService. Tails and messages have connections of their own, so that many tails do not
 * keep a cancel waiting. A connection for tails ends with its last one, another one when it breaks.
 */
export class ConnectPeers implements Peers, Disposable {
  readonly #deps: ConnectPeersDeps;
  readonly #forTails = new Map<string, Set<Connection>>();
  readonly #forMessages = new Map<string, Connection>();

  constructor(deps: ConnectPeersDeps) {
    this.#deps = deps;
  }

  async *tail(address: string, sessionId: SessionId, signal: AbortSignal): AsyncGenerator<TailStep> {
    const connection = this.#connectionForTail(address);
    connection.calls += 1;
    try {
      for await (const response of connection.client.tailSession({ sessionId }, { headers: this.#headers(), signal })) {
        yield* stepsOf(response);
      }
    } catch (error) {
      throw toDomainError(error);
    } finally {
      connection.calls -= 1;
      this.#release(address, connection);
    }
  }

  async notifyCancel(address: string, runId: RunId): Promise<boolean> {
    return (await this.#tell(address, (client, options) => client.notifyCancel({ runId }, options))).held;
  }

  async notifyReleased(address: string, runId: RunId): Promise<void> {
    await this.#tell(address, (client, options) => client.notifyReleased({ runId }, options));
  }

  [Symbol.dispose](): void {
    for (const { transport } of [
      ...this.#forMessages.values(),
      ...[...this.#forTails.values()].flatMap((all) => [...all]),
    ]) {
      transport[Symbol.dispose]();
    }
    this.#forMessages.clear();
    this.#forTails.clear();
  }

  async #tell<Answer>(
    address: string,
    call: (
      client: Client<typeof SessionPeerService>,
      options: { readonly headers: Record<string, string>; readonly timeoutMs: number },
    ) => Promise<Answer>,
  ): Promise<Answer> {
    const connection = this.#forMessages.get(address) ?? this.#connect(address);
    this.#forMessages.set(address, connection);
    try {
      return await call(connection.client, { headers: this.#headers(), timeoutMs: notifyMs });
    } catch (error) {
      const failure = toDomainError(error);
      // Replicas come and go: the connection to one that does not answer is not kept.
      if (failure.kind === 'unavailable' || failure.kind === 'deadline') {
        if (this.#forMessages.get(address) === connection) {
          this.#forMessages.delete(address);
        }
        connection.transport[Symbol.dispose]();
      }
      throw failure;
    }
  }

  #connectionForTail(address: string): Connection {
    const all = this.#forTails.get(address) ?? new Set();
    this.#forTails.set(address, all);
    const free = [...all].find(({ calls }) => calls < maxTailsOfConnection) ?? this.#connect(address);
    all.add(free);
    return free;
  }

  #release(address: string, connection: Connection): void {
    const all = this.#forTails.get(address);
    if (connection.calls === 0 && all?.delete(connection) === true) {
      connection.transport[Symbol.dispose]();
      if (all.size === 0) {
        this.#forTails.delete(address);
      }
    }
  }

  #connect(baseUrl: string): Connection {
    const transport = createInternalTransport({ baseUrl, telemetry: this.#deps.telemetry });
    return { transport, client: createClient(SessionPeerService, transport), calls: 0 };
  }

  #headers(): Record<string, string> {
    return { [peerProofHeader]: this.#deps.sign() };
  }
}

function* stepsOf({ position, entries }: TailSessionResponse): Generator<TailStep> {
  if (position !== undefined) {
    yield { kind: 'position', lastSeq: Number(position.lastSeq), tails: position.tails };
  }
  if (entries.length > 0) {
    yield { kind: 'entries', entries: entries.flatMap(entryOf) };
  }
}

function entryOf({ event, elidedBytes }: TailEntry): { event: AgentEvent; elided?: AgentEvent }[] {
  if (event === undefined) {
    return [];
  }
  return [elidedBytes > 0n ? { event, elided: elided(event, Number(elidedBytes)) } : { event }];
}
