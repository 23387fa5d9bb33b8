import { setTimeout as delay } from 'node:timers/promises';
import { type CallOptions, type Client, Code, createClient } from '@connectrpc/connect';
import { SpanwiseError } from '@spanwise/client';
import { SessionService } from '@spanwise/contracts/spanwise/session/v1/session';
import { createInternalTransport, type InternalTransport } from '@spanwise/service-kit';
import { Telemetry } from '@spanwise/telemetry';
import type { History } from './history.ts';

export interface RecordedClientOptions {
  readonly name: string;
  readonly uid: string;
  readonly baseUrl: string;
  readonly history: History;
}

const telemetry = new Telemetry({ service: 'faults', env: {} });
/** Of unary calls, where a scenario does not say otherwise. */
const defaultDeadlineMs = 10_000;
/** How long a call that must succeed in the end is tried again. */
const patienceMs = 120_000;

type Sessions = Client<typeof SessionService>;

/** A caller with a connection of its own, who writes down everything that it asks and is told. */
export class RecordedClient implements Disposable {
  readonly name: string;
  readonly uid: string;
  readonly history: History;
  readonly sessions: Sessions;
  readonly #transport: InternalTransport;

  constructor({ name, uid, baseUrl, history }: RecordedClientOptions) {
    this.name = name;
    this.uid = uid;
    this.history = history;
    this.#transport = createInternalTransport({ baseUrl, telemetry, pingIntervalMs: 5000, pingTimeoutMs: 5000 });
    this.sessions = createClient(SessionService, this.#transport);
  }

  /** Headers of every call. */
  get headers(): { readonly uid: string } {
    return { uid: this.uid };
  }

  /** One unary call. Throws SpanwiseError. */
  async call<Answer>(
    rpc: string,
    invoke: (sessions: Sessions, options: CallOptions) => Promise<Answer>,
    deadlineMs = defaultDeadlineMs,
  ): Promise<Answer> {
    const startedMs = performance.now();
    const record = (code: number, reason: string) =>
      this.history.add({
        ...{ kind: 'call', client: this.name, rpc, deadlineMs, code, reason },
        tookMs: performance.now() - startedMs,
      });
    try {
      const answer = await invoke(this.sessions, { headers: this.headers, timeoutMs: deadlineMs });
      record(0, '');
      return answer;
    } catch (error) {
      const failure = SpanwiseError.from(error);
      record(failure.code, failure.reason);
      throw failure;
    }
  }

  /** The same call again and again while the service is away; only for calls that may be repeated. */
  async insist<Answer>(
    rpc: string,
    invoke: (sessions: Sessions, options: CallOptions) => Promise<Answer>,
    deadlineMs?: number,
  ): Promise<Answer> {
    const untilMs = performance.now() + patienceMs;
    for (;;) {
      try {
        return await this.call(rpc, invoke, deadlineMs);
      } catch (error) {
        if (!isPassing(error) || performance.now() > untilMs) {
          throw error;
        }
        await delay(100);
      }
    }
  }

  [Symbol.dispose](): void {
    this.#transport[Symbol.dispose]();
  }
}

/** Whether a call that failed so may succeed later. */
export function isPassing(error: unknown): boolean {
  const { isBreak, code } = SpanwiseError.from(error);
  return isBreak || code === Code.Unavailable || code === Code.DeadlineExceeded;
}
