import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { productionTimers, shortTimers } from './cluster/timers.ts';
import { playMutants } from './mutants.ts';
import { type FaultOptions, readOptions } from './options.ts';
import { isClean, missedLines, reportLines, tableLines } from './report.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { playScenarios, type ScenarioResult } from './suite.ts';

/**
 * `npm run faults`: plays the scenarios, each on a cluster of its own, and reports. The exit code is 1 when an invariant
 * was violated, a scenario has not shown what it is for, or (with `--goals`) a goal was missed. Ctrl-C ends everything that was started.
 */
export async function runProgram(args: readonly string[]): Promise<void> {
  // Whatever was started ends with the process: see the handlers of `exit`.
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
  try {
    const options = readOptions(args);
    process.exitCode = options.isMutants
      ? await playMutants(options.scenarios, suiteOptions(options))
      : await playAll(options);
  } catch (error) {
    say(error instanceof Error ? (error.stack ?? error.message) : String(error));
    process.exitCode = 1;
  }
  // Idle connections of the SDK would keep the process alive.
  process.exit();
}

async function playAll(options: FaultOptions): Promise<number> {
  const results: ScenarioResult[] = [];
  const isAlone = ({ prepare }: Scenario) => !options.isShared || prepare !== undefined;
  const groups = [
    ...options.scenarios.filter(isAlone).map((each) => [each]),
    options.scenarios.filter((each) => !isAlone(each)),
  ];
  for (const group of groups.filter(({ length }) => length > 0)) {
    const result = await playGroup(group, options);
    if (result !== undefined) {
      results.push(result);
      reportLines(result).forEach(say);
    }
  }
  if (options.reportFile !== undefined) {
    await writeFile(options.reportFile, `${JSON.stringify({ seed: options.seed, results }, null, 2)}\n`);
  }
  say('');
  tableLines(options.seed, results).forEach(say);
  const missed = options.hasGoals ? missedLines(results) : [];
  missed.forEach(say);
  return results.every(isClean) && missed.length === 0 ? 0 : 1;
}

/** Scenarios on one cluster; one that needs a cluster of its own kind comes alone. */
async function playGroup(group: readonly Scenario[], options: FaultOptions): Promise<ScenarioResult | undefined> {
  const suite = suiteOptions(options);
  const [scenario] = group;
  if (scenario?.prepare === undefined) {
    return playScenarios(group, { ...suite, cluster: logsOf(options, group) });
  }
  await using prepared = await scenario.prepare((line) => say(`${scenario.name} ${line}`));
  return prepared === undefined
    ? undefined
    : await playScenarios([scenario], { ...suite, cluster: { ...logsOf(options, group), ...prepared.options } });
}

function logsOf({ logFolder }: FaultOptions, group: readonly Scenario[]) {
  return logFolder === undefined ? {} : { logFolder: join(logFolder, group.map(({ name }) => name).join('+')) };
}

function suiteOptions({ seed, sizes, hasProductionTimers }: FaultOptions) {
  const timers = hasProductionTimers ? productionTimers : shortTimers;
  return { seed, sizes, timers, say, signal: new AbortController().signal };
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
