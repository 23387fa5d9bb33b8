import type { ExecSpanContext } from '@spanwise/kernel';
import type { ToolCallPart, ToolResultPart } from '../domain/message/message.ts';

/** A delegate call that has no result yet. */
export interface PendingTask {
  readonly call: ToolCallPart;
  /** The turn. */
  readonly parent: ExecSpanContext;
  /** Called when an agent begins with it. */
  readonly begin: () => void;
}

/** How a delegate call ended, or why it did not. */
export type TaskAnswer =
  | { readonly kind: 'result'; readonly result: ToolResultPart }
  /** Its agent waits for interrupts, which were said. */
  | { readonly kind: 'suspended' }
  /** It goes on in another dispatch. */
  | { readonly kind: 'left' };

/** The agents that one agent may delegate to, ready to work. */
export interface Delegates {
  /** Tasks that are worked on at the same time. */
  readonly maxParallel: number;
  /**
   * Has a task worked on until there is nothing more to do here. Whatever an agent fails with is a result. Throws the
   * signal's reason; what the agent had opened is closed then, unless the dispatch was left or taken over.
   */
  execute(pending: PendingTask): Promise<TaskAnswer>;
}
