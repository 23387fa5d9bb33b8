import type { CancelBus } from '@spanwise/messaging';
import type { CancelListener } from '../../application/ports/cancel-listener.ts';

/** Cancels over the bus. */
export function busCancelListener(bus: CancelBus): CancelListener {
  return { listen: (onCancel) => bus.listen(({ runId }) => onCancel(runId)) };
}
