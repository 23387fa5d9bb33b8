import {
  CommitResult,
  type CommitRunRequest,
  LayerState,
  type RollbackRunRequest,
} from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import { DomainError } from '@spanwise/kernel';
import type { Identity } from '@spanwise/service-kit';

interface Layer {
  readonly sessionId: string;
  readonly paths: string[];
  state: LayerState;
}

/** The layers of runs in the filesystem service that the tests of the session service play. */
export class RunLayers {
  /** Each call: what, its view and epoch, and for whom. */
  readonly calls: {
    readonly call: string;
    readonly viewId: string;
    readonly epoch: bigint;
    readonly user: Identity;
  }[] = [];
  /** Paths that somebody else has changed. */
  readonly changedByOthers = new Set<string>();
  /** Set: answered instead, once for each call that it counts. */
  failure: { readonly error: DomainError; times: number } | undefined;
  readonly #fences = new Map<string, bigint>();
  readonly #layers = new Map<string, Layer>();

  /** The run writes a file under an output mount. */
  write(sessionId: string, viewId: string, path: string): void {
    const layer = this.#layers.get(viewId) ?? { sessionId, paths: [], state: LayerState.OPEN };
    this.#layers.set(viewId, layer);
    layer.paths.push(path);
  }

  /** The run has a view without a layer, as an older executor opens it: what it writes is on the disks at once. */
  openWithout(sessionId: string, viewId: string): void {
    this.#layers.set(viewId, { sessionId, paths: [], state: LayerState.UNSPECIFIED });
  }

  stateOf(viewId: string): LayerState {
    return this.#layers.get(viewId)?.state ?? LayerState.UNSPECIFIED;
  }

  fence(sessionId: string, epoch: bigint): void {
    const before = this.#fences.get(sessionId) ?? 0n;
    this.#fences.set(sessionId, epoch > before ? epoch : before);
  }

  commit(request: CommitRunRequest, user: Identity) {
    const layer = this.#enter('commit', request, user);
    const conflicts = layer.paths.filter((path) => this.changedByOthers.has(path)).map((path) => ({ path }));
    if (layer.state === LayerState.ROLLED_BACK) {
      return { result: CommitResult.ROLLED_BACK };
    }
    if (layer.state === LayerState.UNSPECIFIED) {
      return { result: CommitResult.PUBLISHED };
    }
    if (layer.state !== LayerState.PUBLISHED && conflicts.length > 0) {
      layer.state = LayerState.CONFLICT;
      return { result: CommitResult.CONFLICT, conflicts };
    }
    layer.state = LayerState.PUBLISHED;
    const outputs = layer.paths.map((path) => ({ path, size: 5n, etag: 'e', mediaType: 'text/plain' }));
    return { result: CommitResult.PUBLISHED, outputs, changes: outputs.length };
  }

  rollback(request: RollbackRunRequest, user: Identity) {
    const layer = this.#enter('rollback', request, user);
    if (layer.state !== LayerState.PUBLISHED && layer.state !== LayerState.UNSPECIFIED) {
      layer.state = LayerState.ROLLED_BACK;
    }
    return { state: layer.state, changes: layer.state === LayerState.ROLLED_BACK ? layer.paths.length : 0 };
  }

  #enter(call: string, { viewId, epoch }: CommitRunRequest | RollbackRunRequest, user: Identity): Layer {
    this.calls.push({ call, viewId, epoch, user });
    if (this.failure !== undefined && this.failure.times > 0) {
      this.failure.times -= 1;
      throw this.failure.error;
    }
    // A run that asked for tools and wrote nothing has a view all the same.
    const layer = this.#layers.get(viewId) ?? { sessionId: '', paths: [], state: LayerState.OPEN };
    if (epoch < (this.#fences.get(layer.sessionId) ?? 0n)) {
      throw new DomainError('aborted', 'FENCED', 'Another dispatch has the run.');
    }
    return layer;
  }
}
