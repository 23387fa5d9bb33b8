import type { CallFacts } from '@spanwise/tool-kit/contract';

/**
 * What servers have asked in calls that wait for their user, as JSON text: what they want to be told with the answer. Every
 * method may throw DATABASE_UNAVAILABLE.
 */
export interface RemoteQuestions {
  find(call: CallFacts): Promise<string | undefined>;
  keep(call: CallFacts, state: string): Promise<void>;
  forget(call: CallFacts): Promise<void>;
}

/** Questions of a process alone, for tests. */
export class InMemoryRemoteQuestions implements RemoteQuestions {
  readonly #states = new Map<string, string>();

  async find(call: CallFacts): Promise<string | undefined> {
    return this.#states.get(keyOf(call));
  }

  async keep(call: CallFacts, state: string): Promise<void> {
    this.#states.set(keyOf(call), state);
  }

  async forget(call: CallFacts): Promise<void> {
    this.#states.delete(keyOf(call));
  }
}

function keyOf({ runId, callId }: CallFacts): string {
  return `${runId}:${callId}`;
}
