import { DomainError } from '@spanwise/kernel';
import type { ToolContext, WriteGuard } from '@spanwise/tool-kit/contract';
import { hasReason } from '../../domain/files/file-errors.ts';
import { type PatchLeft, patchStopped } from '../../domain/patch/patch-errors.ts';
import type { PlannedChange } from './plan-patch.ts';

/** A change that is made. */
export interface MadeChange {
  readonly change: PlannedChange;
  /** Of what is there now; empty when it was deleted, or by an earlier execution of the call. */
  readonly etag: string;
  /** An execution of the call made it whose process was lost. */
  readonly wasMadeBefore: boolean;
}

/** No file has it: a write over it is refused, unless it was made before. */
const noEtag = 'no-version';

/**
 * Makes the changes in order, each only over what was read. When one fails, those before it are taken back, last first, if
 * nobody has changed the files since; what then is and is not done is in the error.
 */
export async function makeChanges(
  changes: readonly PlannedChange[],
  context: ToolContext,
): Promise<readonly MadeChange[]> {
  const made: MadeChange[] = [];
  for (const change of changes) {
    try {
      made.push(await make(change, context));
    } catch (error) {
      context.signal.throwIfAborted();
      if (hasReason(error, 'ETAG_MISMATCH', 'FILE_NOT_FOUND')) {
        context.reads.forget(change.path);
      }
      if (made.length === 0) {
        throw error;
      }
      throw stopped(change, error, await takeBack(made, context), context);
    }
  }
  return made;
}

async function make(change: PlannedChange, { files, reads }: ToolContext): Promise<MadeChange> {
  const { path, isKnown, refusal } = change;
  try {
    const etag = refusal === undefined ? await makeNow(change, files) : await askWhetherMade(change, files);
    if (etag !== '' && isKnown) {
      reads.remember(path, etag);
    } else {
      reads.forget(path);
    }
    return { change, etag, wasMadeBefore: refusal !== undefined };
  } catch (error) {
    if (hasReason(error, 'IDEMPOTENCY_KEY_REUSED')) {
      // Its guard died with the process that made it, so that it was asked for in other words now.
      reads.forget(path);
      return { change, etag: '', wasMadeBefore: true };
    }
    throw refusal ?? error;
  }
}

/** Etag of what is there now; empty when it was deleted. */
async function makeNow(change: PlannedChange, files: ToolContext['files']): Promise<string> {
  const { path, type, before, after } = change;
  if (type === 'delete') {
    await files.delete(path, { isRecursive: false, etag: before?.etag });
    return '';
  }
  const guard: WriteGuard = before === undefined ? { type: 'create-only' } : { type: 'if-match', etag: before.etag };
  return (await files.write(path, after, guard)).file.etag;
}

/** A write that can not go through: what it is refused with tells whether its key was used. */
async function askWhetherMade({ path, after }: PlannedChange, files: ToolContext['files']): Promise<string> {
  await files.write(path, after, { type: 'if-match', etag: noEtag });
  return '';
}

async function takeBack(made: readonly MadeChange[], context: ToolContext): Promise<PatchLeft> {
  const undone: string[] = [];
  const left = made.filter(({ wasMadeBefore }) => wasMadeBefore).map(({ change }) => change.path);
  for (const each of made.filter(({ wasMadeBefore }) => !wasMadeBefore).toReversed()) {
    const { path } = each.change;
    try {
      await takeBackOne(each, context);
      undone.unshift(path);
    } catch (error) {
      context.signal.throwIfAborted();
      context.log.warn({ err: error }, 'change not taken back');
      left.unshift(path);
    }
  }
  return { undone, left };
}

async function takeBackOne({ change, etag }: MadeChange, { files, reads }: ToolContext): Promise<void> {
  const { path, type, before, isKnown } = change;
  reads.forget(path);
  if (before === undefined) {
    await files.delete(path, { isRecursive: false, etag });
    return;
  }
  const guard: WriteGuard = type === 'delete' ? { type: 'create-only' } : { type: 'if-match', etag };
  const { file } = await files.write(path, before.bytes, guard);
  if (isKnown) {
    reads.remember(path, file.etag);
  }
}

function stopped({ path }: PlannedChange, error: unknown, left: PatchLeft, { log }: ToolContext): DomainError {
  const isTold = error instanceof DomainError && error.kind !== 'internal';
  if (!isTold) {
    log.error({ err: error }, 'change failed');
  }
  return patchStopped(path, isTold ? error : undefined, left, error);
}
