import { type MessageInitShape } from '@bufbuild/protobuf';
import {
  type ExecuteToolRequest,
  ExecutionState,
  type GetExecutionRequest,
  type GetExecutionResponseSchema,
} from '@spanwise/contracts/spanwise/tool/v1/tool';

type Response = MessageInitShape<typeof GetExecutionResponseSchema>;

/** What the tool-host double keeps of the calls of tools that change something. */
export class PeerLedger {
  readonly #entries = new Map<string, { response: Response; readonly over: PromiseWithResolvers<void> }>();

  begin({ callId }: ExecuteToolRequest): void {
    const response = { state: ExecutionState.STARTED };
    this.#entries.set(callId, { response, over: Promise.withResolvers() });
  }

  end(callId: string, response: Response): void {
    const entry = this.#entries.get(callId);
    if (entry?.response.state === ExecutionState.STARTED) {
      entry.response = response;
      entry.over.resolve();
    }
  }

  /** Whoever executed anything is gone. */
  lose(): void {
    this.#entries.forEach((_, callId) => this.end(callId, { state: ExecutionState.UNKNOWN }));
  }

  /** Waits while it is executed. */
  async find({ callId }: GetExecutionRequest, signal: AbortSignal): Promise<Response> {
    const entry = this.#entries.get(callId);
    if (entry === undefined) {
      return { state: ExecutionState.NONE };
    }
    if (entry.response.state === ExecutionState.STARTED) {
      const gone = Promise.withResolvers<void>();
      signal.addEventListener('abort', () => gone.resolve(), { once: true });
      await Promise.race([entry.over.promise, gone.promise]);
    }
    return entry.response;
  }
}
