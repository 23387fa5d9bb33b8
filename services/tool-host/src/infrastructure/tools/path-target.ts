import { resolvePath, type ToolTarget } from '@spanwise/tool-kit/contract';

/** A path that a call touches, as the model gave it. */
export function pathTarget(path: string, access: ToolTarget['access']): ToolTarget {
  return { kind: 'path', value: resolvePath(path), access };
}

/** A path that a call touches with all that is below it. */
export function treeTarget(path: string, access: ToolTarget['access']): ToolTarget {
  return { ...pathTarget(path, access), isTree: true };
}
