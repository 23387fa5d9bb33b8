import { DomainError } from '@spanwise/kernel';
import type { ToolContext } from '@spanwise/tool-kit/contract';
import { fileError, hasReason } from '../../domain/files/file-errors.ts';
import { applyHunks } from '../../domain/patch/apply-hunks.ts';
import { type Hunk, inverted, type PatchAction } from '../../domain/patch/patch.ts';
import { isTooLarge, notText } from '../../domain/patch/patch-errors.ts';
import { readWhole, textOf, type WholeFile } from './read-whole.ts';

/** One change of a file that a patch asks for. */
export interface PlannedChange {
  readonly path: string;
  readonly type: 'create' | 'update' | 'delete';
  /** What is there now; undefined of what is to be created, or is gone already. */
  readonly before: WholeFile | undefined;
  /** What is to be there; empty of what is to be deleted. */
  readonly after: Uint8Array;
  /** The model has seen all that will be there. */
  readonly isKnown: boolean;
  /** Why it can not be made, of one that looks as if it had been made already; undefined of all others. */
  readonly refusal: DomainError | undefined;
}

type Update = Extract<PatchAction, { readonly type: 'update' }>;

const nothing = new Uint8Array();
const maxFileBytes = 8 * 1024 * 1024;
const maxTotalBytes = 4 * maxFileBytes;
const byteOrderMark = '\ufeff';

/**
 * Reads all that a patch touches and works out its changes, what deletes last. Nothing is changed. A call that is executed
 * again, after its process was lost, finds the first changes made: those, and no others, may look so. Throws what is wrong.
 */
export async function planPatch(
  actions: readonly PatchAction[],
  context: Pick<ToolContext, 'files' | 'reads'>,
): Promise<readonly PlannedChange[]> {
  const planner = new PatchPlanner(context);
  const planned: PlannedChange[] = [];
  for (const action of actions) {
    planned.push(...(await planner.plan(action)));
  }
  const changes = [
    ...planned.filter(({ type }) => type !== 'delete'),
    ...planned.filter(({ type }) => type === 'delete'),
  ];
  const firstNew = changes.findIndex(({ refusal }) => refusal === undefined);
  const wrong = changes.find(({ refusal }, index) => refusal !== undefined && firstNew !== -1 && index > firstNew);
  if (wrong?.refusal !== undefined) {
    throw wrong.refusal;
  }
  return changes;
}

class PatchPlanner {
  readonly #context: Pick<ToolContext, 'files' | 'reads'>;
  #bytes = 0;

  constructor(context: Pick<ToolContext, 'files' | 'reads'>) {
    this.#context = context;
  }

  async plan(action: PatchAction): Promise<readonly PlannedChange[]> {
    switch (action.type) {
      case 'add': {
        const text = action.lines.map((line) => `${line}\n`).join('');
        return [await this.#create(action.path, new TextEncoder().encode(text), true)];
      }
      case 'delete': {
        const { path } = action;
        const before = await this.#find(path);
        if (before !== undefined) {
          this.#assertRead(path, before);
        }
        return [deletion(path, before)];
      }
      default:
        return this.#update(action);
    }
  }

  async #create(path: string, after: Uint8Array, isKnown: boolean): Promise<PlannedChange> {
    const there = await this.#find(path);
    const refusal = there === undefined ? undefined : fileError('FILE_EXISTS', { path });
    if (refusal !== undefined && Buffer.compare(there?.bytes ?? nothing, after) !== 0) {
      throw refusal;
    }
    return { path, type: 'create', before: undefined, after, isKnown, refusal };
  }

  async #update(action: Update): Promise<readonly PlannedChange[]> {
    const { path, moveTo, hunks } = action;
    const before = await this.#find(path);
    if (before === undefined) {
      return this.#movedBefore(action);
    }
    const isKnown = this.#context.reads.etagOf(path) === before.etag;
    if (moveTo !== undefined) {
      this.#assertRead(path, before);
      const after = hunks.length === 0 ? before.bytes : patched(path, before, hunks);
      return [await this.#create(moveTo, after, isKnown), deletion(path, before)];
    }
    try {
      this.#assertRead(path, before);
      return [{ path, type: 'update', before, after: patched(path, before, hunks), isKnown, refusal: undefined }];
    } catch (error) {
      if (!(error instanceof DomainError) || !looksPatched(path, before, hunks)) {
        throw error;
      }
      return [{ path, type: 'update', before, after: nothing, isKnown: false, refusal: error }];
    }
  }

  async #movedBefore({ path, moveTo, hunks }: Update): Promise<readonly PlannedChange[]> {
    const refusal = fileError('FILE_NOT_FOUND', { path });
    const moved = moveTo === undefined ? undefined : await this.#find(moveTo);
    if (moveTo === undefined || moved === undefined || !looksPatched(path, moved, hunks)) {
      throw refusal;
    }
    const created = {
      path: moveTo,
      type: 'create',
      before: undefined,
      after: nothing,
      isKnown: false,
      refusal,
    } as const;
    return [created, deletion(path, undefined)];
  }

  async #find(path: string): Promise<WholeFile | undefined> {
    const { files, reads } = this.#context;
    try {
      const limit = Math.min(maxFileBytes, maxTotalBytes - this.#bytes);
      const file = await readWhole(files, path, limit);
      if (file === undefined) {
        throw isTooLarge(path, limit);
      }
      this.#bytes += file.bytes.length;
      return file;
    } catch (error) {
      if (!hasReason(error, 'FILE_NOT_FOUND')) {
        throw error;
      }
      reads.forget(path);
      return undefined;
    }
  }

  /** What the model has read must be what is there. */
  #assertRead(path: string, { etag }: WholeFile): void {
    const { reads } = this.#context;
    const known = reads.etagOf(path);
    if (known !== undefined && known !== etag) {
      reads.forget(path);
      throw fileError('ETAG_MISMATCH', { path });
    }
  }
}

function deletion(path: string, before: WholeFile | undefined): PlannedChange {
  const refusal = before === undefined ? fileError('FILE_NOT_FOUND', { path }) : undefined;
  return { path, type: 'delete', before, after: nothing, isKnown: false, refusal };
}

function patched(path: string, { bytes }: WholeFile, hunks: readonly Hunk[]): Uint8Array {
  const text = textOf(bytes);
  if (text === undefined) {
    throw notText(path);
  }
  const mark = text.startsWith(byteOrderMark) ? byteOrderMark : '';
  return new TextEncoder().encode(mark + applyHunks(path, text.slice(mark.length), hunks));
}

/** Whether the file is what the hunks would make of it: then they can be taken back. */
function looksPatched(path: string, file: WholeFile, hunks: readonly Hunk[]): boolean {
  try {
    patched(path, file, hunks.map(inverted));
    return true;
  } catch {
    return false;
  }
}
