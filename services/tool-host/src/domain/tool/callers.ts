import type { CallFacts } from '@spanwise/tool-kit/contract';
import type { Caller } from './tool-call.ts';

/**
 * For whom the calls are made that go on, with their tokens: for the parts of this service that speak to other servers on
 * behalf of the user. Asked with the very object that a tool has as `context.call`: nobody can ask for a call that is not
 * theirs.
 */
export class Callers {
  readonly #callers = new WeakMap<CallFacts, Caller>();

  note(call: CallFacts, caller: Caller): void {
    this.#callers.set(call, caller);
  }

  of(call: CallFacts): Caller | undefined {
    return this.#callers.get(call);
  }
}
