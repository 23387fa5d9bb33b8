import type { Ledger } from '../src/domain/execution/ledger.ts';

/** A ledger of which some methods do something else. */
export function changedLedger(ledger: Ledger, changed: Partial<Ledger>): Ledger {
  return {
    assertOpen: (...given) => ledger.assertOpen(...given),
    begin: (...given) => ledger.begin(...given),
    settle: (...given) => ledger.settle(...given),
    withdraw: (...given) => ledger.withdraw(...given),
    find: (...given) => ledger.find(...given),
    lose: (...given) => ledger.lose(...given),
    started: (...given) => ledger.started(...given),
    raiseFence: (...given) => ledger.raiseFence(...given),
    deleteSession: (...given) => ledger.deleteSession(...given),
    ...changed,
  };
}
