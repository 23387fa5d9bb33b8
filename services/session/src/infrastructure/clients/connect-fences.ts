import { type Client, createClient, type Transport } from '@connectrpc/connect';
import { FileSystemService } from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import { ExecutionStop, ToolHostService } from '@spanwise/contracts/spanwise/tool/v1/tool';
import { brandId, type IdGenerator, type SessionId, type Uid } from '@spanwise/kernel';
import { callOptions, toDomainError } from '@spanwise/service-kit';
import type { Fences, StoppedCall } from '../../application/ports/fences.ts';
import type { StopOutcome } from '../../domain/run/run.ts';
import { offTheRecord } from './off-the-record.ts';

/** How long each of the services may take: the tool host gives tools 5 s to stop, and its replicas half a second more. */
const raiseMs = 2_000;
const stopMs = 7_000;

/** What a service calls itself where no user is behind a call. */
const serviceIdentity = { uid: brandId<Uid>('spanwise-session'), email: '', token: '' };

const outcomes = new Map<ExecutionStop, StopOutcome>([
  [ExecutionStop.STOPPED, 'stopped'],
  [ExecutionStop.FINISHED, 'finished'],
]);

/** The fences of tool-host and filesystem, on connections of their own: they must not wait behind runs. */
export class ConnectFences implements Fences {
  readonly #toolHost: Client<typeof ToolHostService>;
  readonly #filesystem: Client<typeof FileSystemService>;
  readonly #ids: IdGenerator;

  constructor(toolHost: Transport, filesystem: Transport, ids: IdGenerator) {
    this.#toolHost = createClient(ToolHostService, toolHost);
    this.#filesystem = createClient(FileSystemService, filesystem);
    this.#ids = ids;
  }

  raise(sessionId: SessionId, epoch: number, signal: AbortSignal): Promise<void> {
    const within = AbortSignal.any([signal, AbortSignal.timeout(raiseMs)]);
    return this.#fence({ sessionId, epoch: BigInt(epoch), stop: false }, within);
  }

  stop(sessionId: SessionId, epoch: number, signal: AbortSignal, onCall: (call: StoppedCall) => void): Promise<void> {
    const within = AbortSignal.any([signal, AbortSignal.timeout(stopMs)]);
    return this.#fence({ sessionId, epoch: BigInt(epoch), stop: true }, within, onCall);
  }

  async #fence(
    request: { readonly sessionId: SessionId; readonly epoch: bigint; readonly stop: boolean },
    signal: AbortSignal,
    onCall?: (call: StoppedCall) => void,
  ): Promise<void> {
    const options = callOptions({ identity: serviceIdentity, span: offTheRecord(this.#ids) }, signal);
    const stopTools = async () => {
      const { stopped } = await this.#toolHost.fence(request, options);
      stopped.forEach(({ callId, outcome }) => onCall?.({ callId, outcome: outcomes.get(outcome) ?? 'unstoppable' }));
    };
    // Both are waited for: what the one has stopped counts, also when the other does not answer.
    const answers = await Promise.allSettled([stopTools(), this.#filesystem.fence(request, options)]);
    const failure = answers.find(({ status }) => status === 'rejected');
    if (failure?.status === 'rejected') {
      throw toDomainError(failure.reason);
    }
  }
}
