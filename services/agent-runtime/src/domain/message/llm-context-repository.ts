import type { Message } from './message.ts';

/** The stored dialogue that a run goes on from. */
export interface LlmContextRepository {
  /** All that the model is to see, oldest first. Throws CONTEXT_INVALID when what is stored can't be read. */
  load(): Promise<readonly Message[]>;
}
