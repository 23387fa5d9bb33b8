import { randomKills } from './n01-random-kills.ts';
import { driverKilled } from './n02-driver-killed.ts';
import { executorLost } from './n03-executor-lost.ts';
import { driverFrozen } from './n04-driver-frozen.ts';
import { databaseFaults } from './n05-database.ts';
import { brokerFaults } from './n06-broker.ts';
import { randomCancels } from './n07-cancels.ts';
import { hardCancels } from './n08-hard-cancels.ts';
import { runtimeLink } from './n09-runtime-link.ts';
import { toolLink } from './n10-tool-link.ts';
import { rollingRestart } from './n11-rolling-restart.ts';
import { manyWatchers } from './n12-watchers.ts';
import { providerFaults } from './n13-provider.ts';
import { fullDisk } from './n14-disk.ts';
import { sameRequest } from './n15-same-request.ts';
import { manyRuns } from './n16-many-runs.ts';
import { everythingAtOnce } from './n17-everything-at-once.ts';
import { rolledBackRuns } from './n18-rollbacks.ts';
import type { Scenario } from './scenario.ts';

/** All scenarios in the order of their numbers. */
export const allScenarios: readonly Scenario[] = [
  randomKills,
  driverKilled,
  executorLost,
  driverFrozen,
  databaseFaults,
  brokerFaults,
  randomCancels,
  hardCancels,
  runtimeLink,
  toolLink,
  rollingRestart,
  manyWatchers,
  providerFaults,
  fullDisk,
  sameRequest,
  manyRuns,
  everythingAtOnce,
  rolledBackRuns,
];
