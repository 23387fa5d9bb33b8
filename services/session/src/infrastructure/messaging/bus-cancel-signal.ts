import type { CancelBus } from '@spanwise/messaging';
import { formatTraceparent } from '@spanwise/telemetry';
import type { CancelSignal } from '../../application/ports/cancel-signal.ts';

/** Cancels over the bus. */
export function busCancelSignal(bus: CancelBus): CancelSignal {
  return {
    async send(runId, span) {
      await bus.request({ runId, traceparent: span === undefined ? '' : formatTraceparent(span) });
    },
  };
}
