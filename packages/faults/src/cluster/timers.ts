import type { Environment } from '@spanwise/service-kit';

/** The timers of the run protocol in a cluster. */
export interface ClusterTimers {
  readonly env: Environment;
  readonly leaseMs: number;
  /** How long it may take until a run whose driver was lost goes on: lease and reaper. */
  readonly takeOverMs: number;
}

/** As they are set by default. */
export const productionTimers: ClusterTimers = { env: {}, leaseMs: 15_000, takeOverMs: 19_000 };

/** Divided by five, so that ten take-overs fit into a minute. */
export const shortTimers: ClusterTimers = {
  env: {
    SPANWISE_LEASE_MS: '3000',
    SPANWISE_LEASE_RENEW_MS: '600',
    SPANWISE_TAKE_OVER_MS: '400',
    SPANWISE_CANCEL_POLL_MS: '200',
    SPANWISE_LOG_POLL_MS: '200',
    SPANWISE_STOP_MS: '1000',
  },
  leaseMs: 3000,
  takeOverMs: 3800,
};
