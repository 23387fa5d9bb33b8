import { DomainError, type RunId } from '@spanwise/kernel';
import type { FilesRequest, Publication, Rollback, RunFiles } from '../../src/application/ports/run-files.ts';
import type { OutputFile } from '../../src/domain/event/agent-event.ts';

interface Layer {
  state: 'open' | 'conflict' | 'published' | 'rolled-back';
  /** What the run has written, by path. */
  readonly files: OutputFile[];
  /** Paths on disks that refuse. */
  readonly refused: string[];
}

/** The layers of runs, as filesystem keeps them: what is published or dropped stays so. */
export class FakeRunFiles implements RunFiles {
  /** What was asked for: `commit` or `rollback`, with the epoch. */
  readonly calls: string[] = [];
  readonly requests: FilesRequest[] = [];
  /** Times that files became visible to others. */
  publications = 0;
  /** Paths that somebody else has changed. */
  readonly changedByOthers = new Set<string>();
  /** Lower epochs are refused. */
  lowestEpoch = 0;
  /** Set: what it answers instead. */
  failure: DomainError | undefined;
  /** Called before a call is answered, when its effect is there. */
  onCall: (call: string) => Promise<void> = async () => undefined;
  readonly #layers = new Map<RunId, Layer>();

  /** The run writes a file under an output mount. */
  write(runId: RunId, path: string, disk: 'tree' | 'refuses' = 'tree'): void {
    const { files, refused } = this.#layer(runId);
    files.push(fileAt(path));
    if (disk === 'refuses') {
      refused.push(path);
    }
  }

  stateOf(runId: RunId): Layer['state'] {
    return this.#layer(runId).state;
  }

  async commit(request: FilesRequest): Promise<Publication> {
    this.#enter('commit', request);
    const layer = this.#layer(request.runId);
    const conflicts = layer.files.filter(({ path }) => this.changedByOthers.has(path)).length;
    if (layer.state === 'open' || layer.state === 'conflict') {
      layer.state = conflicts > 0 ? 'conflict' : 'published';
      this.publications += conflicts > 0 ? 0 : 1;
    }
    await this.onCall('commit');
    const { state, files, refused: unpublished } = layer;
    if (state !== 'published') {
      return { result: state === 'rolled-back' ? state : 'conflict', conflicts, unpublished: [], outputs: [] };
    }
    const outputs = files.filter(({ path }) => !unpublished.includes(path));
    return { result: unpublished.length > 0 ? 'partial' : 'published', conflicts: 0, unpublished, outputs };
  }

  async rollback(request: FilesRequest): Promise<Rollback> {
    this.#enter('rollback', request);
    const layer = this.#layer(request.runId);
    layer.state = layer.state === 'published' ? 'published' : 'rolled-back';
    await this.onCall('rollback');
    const isPublished = layer.state === 'published';
    return { changes: isPublished ? 0 : layer.files.length, isPublished };
  }

  #enter(call: string, request: FilesRequest): void {
    this.calls.push(`${call} ${request.epoch}`);
    this.requests.push(request);
    if (this.failure !== undefined) {
      throw this.failure;
    }
    if (request.epoch < this.lowestEpoch) {
      throw new DomainError('aborted', 'FENCED', 'Another dispatch has the run.');
    }
  }

  #layer(runId: RunId): Layer {
    const layer = this.#layers.get(runId) ?? { state: 'open', files: [], refused: [] };
    this.#layers.set(runId, layer);
    return layer;
  }
}

/** A file as it is told of. */
export function fileAt(path: string): OutputFile {
  return { path, size: 5n, etag: `etag of ${path}`, mediaType: 'text/plain' };
}
