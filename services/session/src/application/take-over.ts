import type { Clock } from '@spanwise/kernel';
import { attemptReason } from '../domain/event/agent-event.ts';
import type { RunGuard } from '../domain/run/guards.ts';
import type { Run } from '../domain/run/run.ts';
import type { RunRepository } from '../domain/run/run-repository.ts';
import { announceAttempt } from './announce-attempt.ts';
import type { Caller } from './ports/caller.ts';
import type { RunReports } from './ports/run-reports.ts';
import type { RunDrivers } from './run-drivers.ts';
import { throughOutage } from './through-outage.ts';

/** Time for the owner of a run to end it after its cancel was requested; then any replica takes it. */
const cancelMs = 10_000;
/** The same when the owner seems to be frozen. */
const frozenCancelMs = 5_000;
/** Runs that one look takes at most. */
const limit = 100;

export interface TakeOverDeps {
  readonly runs: RunRepository;
  readonly drivers: RunDrivers;
  readonly reports: RunReports;
  readonly clock: Clock;
  readonly instanceId: () => string;
  /** What is left of a lease whose owner has missed two renewals. */
  readonly staleLeaseMs: number;
  /** Only for tests that show what a guard is for. */
  readonly without?: ReadonlySet<RunGuard>;
}

/** Takes runs that nobody drives: their driver was lost or has let go of them, or they have waited long enough. */
export class TakeOver {
  readonly #deps: TakeOverDeps;

  constructor(deps: TakeOverDeps) {
    this.#deps = deps;
  }

  /** One look at all that is abandoned. Throws DATABASE_UNAVAILABLE. */
  async execute(): Promise<void> {
    const { runs, drivers, clock } = this.#deps;
    if (drivers.isLeaving) {
      return;
    }
    const { staleLeaseMs } = this.#deps;
    const look = { nowMs: clock.nowMs(), cancelMs, frozenCancelMs, staleLeaseMs, limit };
    // In another order on each replica, so that they do not all try the same one first.
    for (const run of shuffled(await runs.abandoned(look))) {
      await this.take(run);
    }
  }

  /** Takes one run, if it can be had, and drives it from here. */
  async take(run: Run, caller?: Caller): Promise<Run | undefined> {
    const { runs, drivers, reports, clock, instanceId } = this.#deps;
    if (drivers.isLeaving || drivers.isDriving(run.id)) {
      return undefined;
    }
    const reason = reasonOf(run);
    const announce = announceAttempt(clock, reason, this.#deps.without);
    const ownerId = instanceId();
    const wasLost = reason === attemptReason.driverLost;
    const claim = { run, ownerId, wasLost, nowMs: clock.nowMs(), announce };
    const claimed = await throughOutage(clock, () => runs.claim(claim));
    if (claimed === undefined) {
      return undefined;
    }
    reports.taken(claimed.run, reason);
    drivers.drive(claimed, caller);
    return claimed.run;
  }
}

function reasonOf({ status, ownerId }: Run): number {
  if (status === 'WAITING') {
    return attemptReason.resumed;
  }
  return ownerId === undefined ? attemptReason.drained : attemptReason.driverLost;
}

function shuffled<Item>(items: readonly Item[]): readonly Item[] {
  return items
    .map((item) => ({ item, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}
