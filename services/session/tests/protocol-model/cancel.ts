import type { Take } from './checker.ts';
import type { World } from './driver.ts';
import { type Guards, requestCancel, runOf } from './protocol.ts';

/** A client that may cancel run 0 at any moment, once. */
export interface CancelWorld extends World {
  /** What it was told. */
  cancel: '' | 'accepted early' | 'accepted' | 'refused';
}

/** The client, by way of any replica; the answer may be lost. `accepted` is what its transaction does besides. */
export function cancelSteps<State extends CancelWorld>(
  state: State,
  guards: Guards,
  take: Take<State>,
  accepted: (next: State) => void = () => undefined,
): void {
  const seen = runOf(state.db, 0).status;
  if (seen === 'ABSENT' || state.cancel === 'accepted' || state.cancel === 'refused') {
    return;
  }
  if (!guards.acknowledgesCancelAfterCommit && state.cancel === '' && (seen === 'RUNNING' || seen === 'WAITING')) {
    take('accept a cancel', 'early', (next) => {
      next.cancel = 'accepted early';
    });
  }
  const request = (next: State) => {
    const isAccepted = requestCancel(next.db, guards, 0);
    if (isAccepted) {
      accepted(next);
    }
    return isAccepted;
  };
  take('request cancel', '', (next) => {
    const isAccepted = request(next);
    next.cancel = isAccepted || state.cancel === 'accepted early' ? 'accepted' : 'refused';
  });
  if (state.faults > 0) {
    take('lose the answer', 'request cancel', (next) => {
      next.faults -= 1;
      return request(next);
    });
  }
}

/** I7 as the client sees it. */
export function brokenCancel({ db, cancel }: CancelWorld): string | undefined {
  const isAccepted = cancel === 'accepted' || cancel === 'accepted early';
  return isAccepted && runOf(db, 0).status === 'COMPLETED' ? 'I7 completed in spite of an accepted cancel' : undefined;
}
