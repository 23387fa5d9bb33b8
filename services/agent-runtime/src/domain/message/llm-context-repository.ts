import type { Message } from './message.ts';

/** The stored dialogues that a run goes on from. */
export interface LlmContextRepository {
  /**
   * All that a model is to see, oldest first: of the main dialogue, or of the thread of a delegate call that has no result
   * yet; nothing when it was not begun. Throws CONTEXT_INVALID when what is stored can't be read.
   */
  load(threadId?: string): Promise<readonly Message[]>;
}
