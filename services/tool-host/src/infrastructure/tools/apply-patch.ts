import { defineTool, wellFormedText } from '@spanwise/tool-kit';
import { resolvePath, type ToolTarget } from '@spanwise/tool-kit/contract';
import { z } from 'zod';
import { parsePatch } from '../../domain/patch/parse-patch.ts';
import type { PatchAction } from '../../domain/patch/patch.ts';
import { touchedTwice } from '../../domain/patch/patch-errors.ts';
import { type MadeChange, makeChanges } from './make-changes.ts';
import { planPatch } from './plan-patch.ts';

const words = { create: 'Added', update: 'Updated', delete: 'Deleted' } as const;

export const applyPatchTool = defineTool({
  name: 'apply_patch',
  title: 'Apply patch',
  description: `Changes several files at once, all or none. The patch:
*** Begin Patch
*** Add File: path
+every line of the new file
*** Update File: path
*** Move to: new path (optional)
@@ a line that comes before the place, where its lines alone are there more than once
 a line that stays
-a line that goes
+a line that comes
*** Delete File: path
*** End Patch
Write two or three lines that stay around each change, as they are in the file, without line numbers. Places of one file \
come in its order.`,
  version: '1',
  toolClass: 'files',
  effect: 'IDEMPOTENT',
  limits: { timeoutMs: 60_000 },
  input: z.strictObject({ patch: wellFormedText('The whole patch. Relative paths begin at /workspace.').min(1) }),
  targets: ({ patch }) => actionsOf(patch).flatMap(touchedBy),
  async execute({ patch }, context) {
    const made = await makeChanges(await planPatch(actionsOf(patch), context), context);
    const before = made.filter(({ wasMadeBefore }) => wasMadeBefore).map(({ change }) => change.path);
    return {
      text: made.map(({ change }) => `${words[change.type]} ${change.path}`).join('\n'),
      notice: before.length === 0 ? '' : `[Made when this call was executed before: ${before.join(', ')}]`,
      structured: { changes: made.map(toldChange) },
    };
  },
});

/** What the patch does, with absolute paths. Throws INVALID_FIELD, also when it names a path twice. */
function actionsOf(patch: string): readonly PatchAction[] {
  const actions = parsePatch(patch).map(resolved);
  const paths = actions.flatMap(pathsOf);
  const twice = paths.find((path, index) => paths.indexOf(path) !== index);
  if (twice !== undefined) {
    throw touchedTwice(twice);
  }
  return actions;
}

function resolved(action: PatchAction): PatchAction {
  const path = resolvePath(action.path);
  return action.type === 'update' && action.moveTo !== undefined
    ? { ...action, path, moveTo: resolvePath(action.moveTo) }
    : { ...action, path };
}

function pathsOf(action: PatchAction): readonly string[] {
  const { path } = action;
  return action.type === 'update' && action.moveTo !== undefined ? [path, action.moveTo] : [path];
}

function touchedBy(action: PatchAction): readonly ToolTarget[] {
  const written = pathsOf(action).map((value) => ({ kind: 'path', value, access: 'write' }) as const);
  return action.type === 'update' ? [{ kind: 'path', value: action.path, access: 'read' }, ...written] : written;
}

function toldChange({ change: { path, type, after }, etag }: MadeChange) {
  return type === 'delete' ? { path, change: type } : { path, change: type, etag, size: after.length };
}
