import type { SessionId } from '@spanwise/kernel';
import type { Execution } from '../domain/execution/execution.ts';
import { fenced } from '../domain/execution/execution-errors.ts';
import type { Ledger } from '../domain/execution/ledger.ts';
import type { StoppedExecution } from '../domain/execution/stopped-execution.ts';
import type { Instance, InstanceRepository } from '../domain/instance/instance-repository.ts';
import type { Caller } from '../domain/tool/tool-call.ts';
import type { LiveCall, LiveCalls } from './live-calls.ts';
import type { Peers } from './ports/peers.ts';
import { waitWithin } from './wait-within.ts';

export interface FenceSessionDeps {
  readonly ledger: Ledger;
  readonly instances: InstanceRepository;
  readonly live: LiveCalls;
  readonly peers: Peers;
  /** The process itself, under all ids that it has had. */
  readonly instance: { owns(id: string): boolean };
  /** How long a tool may take to stop. */
  readonly stopMs: number;
}

/** What a session is to be shut against. */
export interface FenceRequest {
  readonly caller: Caller;
  readonly sessionId: SessionId;
  readonly epoch: number;
  /** True: the epoch too, and what is executed is ended. */
  readonly isStop: boolean;
  /** True: what this process executes only; whoever asks has raised the fence. */
  readonly isLocal: boolean;
}

/** Beyond the time that a tool has to stop, for the answer of another replica. */
const peerMarginMs = 500;

/**
 * Shuts a session: raise the fence → end what is executed here, ask the other live replicas to, and look what is left.
 *
 * Whatever begins after the fence was raised is refused by the ledger, or, if nothing is kept of it, is in memory by then:
 * so the order is what makes the answer true.
 */
export class FenceSession {
  readonly #deps: FenceSessionDeps;

  constructor(deps: FenceSessionDeps) {
    this.#deps = deps;
  }

  /** With `isStop` what it met, by call. Throws DATABASE_UNAVAILABLE. */
  async execute(request: FenceRequest): Promise<readonly StoppedExecution[]> {
    const { sessionId, epoch, isStop, isLocal } = request;
    if (isLocal) {
      return isStop ? this.#stopHere(sessionId, epoch) : [];
    }
    // The guard stopRefusesLateCalls of the run protocol: a call of this epoch may still be on its way.
    await this.#deps.ledger.raiseFence(sessionId, isStop ? epoch + 1 : epoch);
    return isStop ? this.#stopEverywhere(request) : [];
  }

  async #stopEverywhere(request: FenceRequest): Promise<readonly StoppedExecution[]> {
    const { sessionId, epoch } = request;
    const [here, elsewhere, started] = await Promise.all([
      this.#stopHere(sessionId, epoch),
      this.#stopElsewhere(request),
      this.#deps.ledger.started(sessionId),
    ]);
    const left = await this.#left(started, epoch, elsewhere.silent);
    const met = new Map<string, StoppedExecution>();
    for (const each of [...here, ...elsewhere.stopped, ...left]) {
      if (!met.has(keyOf(each))) {
        met.set(keyOf(each), each);
      }
    }
    return [...met.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  }

  async #stopElsewhere(request: FenceRequest) {
    const { instances, instance } = this.#deps;
    const others = (await instances.alive()).filter(({ id }) => !instance.owns(id));
    const answers = await Promise.all(others.map((other) => this.#ask(other, request)));
    const silent = new Set(others.filter((_, index) => answers[index] === undefined).map(({ id }) => id));
    return { stopped: answers.flatMap((answer) => answer ?? []), silent };
  }

  async #stopHere(sessionId: SessionId, epoch: number): Promise<readonly StoppedExecution[]> {
    const calls = this.#deps.live.ofSession(sessionId, epoch);
    const stopped = await Promise.all(calls.map((call) => this.#stop(call)));
    return stopped.flatMap((each) => each ?? []);
  }

  async #stop(call: LiveCall): Promise<StoppedExecution | undefined> {
    call.stop(fenced());
    await waitWithin(this.#deps.stopMs, call.gone);
    const { runId, callId, tool, end } = call;
    if (end === 'not-begun') {
      return undefined;
    }
    return { runId, callId, tool, outcome: call.hasReturned ? end : 'unstoppable' };
  }

  /** Undefined when it does not answer. */
  #ask(other: Instance, { caller, sessionId, epoch }: FenceRequest): Promise<readonly StoppedExecution[] | undefined> {
    const { peers, stopMs } = this.#deps;
    return peers.stop(other, { caller, sessionId, epoch }, stopMs + peerMarginMs).catch(() => undefined);
  }

  /** What the ledger has besides: of replicas that do not answer. What dead ones had begun becomes UNKNOWN. */
  async #left(
    started: readonly Execution[],
    epoch: number,
    silent: ReadonlySet<string>,
  ): Promise<readonly StoppedExecution[]> {
    const left: StoppedExecution[] = [];
    for (const execution of started) {
      if (!execution.isAlive) {
        await this.#deps.ledger.lose(execution);
      } else if (execution.epoch <= epoch && silent.has(execution.instanceId)) {
        const { runId, callId, tool } = execution;
        left.push({ runId, callId, tool, outcome: 'unstoppable' });
      }
    }
    return left;
  }
}

function keyOf({ runId, callId }: Pick<StoppedExecution, 'runId' | 'callId'>): string {
  return `${runId}:${callId}`;
}
