import type { Clock, IdGenerator } from '@spanwise/kernel';
import type { Interrupt, ToolSuspension } from '@spanwise/tool-kit/contract';
import { clipBytes } from '../domain/text/bounded-text.ts';
import type { ToolCall } from '../domain/tool/tool-call.ts';

export interface SuspendCallDeps {
  readonly ids: Pick<IdGenerator, 'uuid'>;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** How long a call waits for the user when its tool does not say. */
  readonly askExpiryMs: number;
}

const maxMessageBytes = 64 * 1024;

/** What a call waits for, made of what its tool asks. */
export function suspendCall(
  { ids, clock, askExpiryMs }: SuspendCallDeps,
  { callId }: ToolCall,
  { suspend }: ToolSuspension,
): Interrupt {
  const { kind, message, schema, expiresInMs = askExpiryMs } = suspend;
  return {
    id: ids.uuid(),
    kind,
    callId,
    message: clipBytes(message.toWellFormed(), maxMessageBytes),
    schemaJson: JSON.stringify(schema).toWellFormed(),
    expiresAtMs: clock.nowMs() + expiresInMs,
  };
}
