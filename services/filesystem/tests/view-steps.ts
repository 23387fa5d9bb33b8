import fc from 'fast-check';
import { failureOf } from './files-fixture.ts';
import type { OpenedView } from './layers-fixture.ts';

/** A change that is tried in a view. */
export type Change =
  | { readonly type: 'put' | 'remove' | 'makeDirectory'; readonly path: string }
  | { readonly type: 'move'; readonly path: string; readonly to: string };

const path = fc
  .array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 3 })
  .map((segments) => `/workspace/${segments.join('/')}`);
/** Changes of few paths, so that they meet. */
export const changeStep: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ type: fc.constantFrom('put' as const, 'put', 'remove', 'makeDirectory'), path }),
  fc.record({ type: fc.constant('move' as const), path, to: path }),
);

/** Tries a change; what can not be done is left out. */
export async function tryChange(view: OpenedView, each: Change | undefined, text: string): Promise<void> {
  const work = async () => {
    switch (each?.type) {
      case 'put':
        await view.put(each.path, `${text} ${each.path}`);
        break;
      case 'remove':
      case 'makeDirectory':
        await view[each.type](each.path);
        break;
      case 'move':
        await view.move(each.path, each.to);
        break;
      default:
    }
  };
  const failure = await failureOf(work());
  if (typeof failure !== 'string' && !(typeof failure === 'object' && failure !== null && 'reason' in failure)) {
    throw failure;
  }
}
