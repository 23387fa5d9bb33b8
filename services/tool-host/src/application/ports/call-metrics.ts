import type { CallOutcome, ToolCall } from '../../domain/tool/tool-call.ts';

/** Counts calls; see the README for what is exported. */
export interface CallMetrics {
  /** A call goes on. Answers what is told when it does not any more. */
  begin(call: ToolCall): (outcome: CallOutcome | 'stopped') => void;
}
