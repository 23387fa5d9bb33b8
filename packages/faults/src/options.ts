import { parseArgs } from 'node:util';
import { DomainError } from '@spanwise/kernel';
import { allScenarios } from './scenarios/all-scenarios.ts';
import type { Scenario, ScenarioSizes } from './scenarios/scenario.ts';

/** What the command line asks for. */
export interface FaultOptions {
  readonly scenarios: readonly Scenario[];
  readonly sizes: Partial<ScenarioSizes>;
  readonly seed: number;
  readonly hasProductionTimers: boolean;
  readonly isMutants: boolean;
  /** Whether a goal that was missed counts as a failure. */
  readonly hasGoals: boolean;
  /** Whether the scenarios are played on one cluster, one after the other. */
  readonly isShared: boolean;
  /** File for the whole report as JSON. */
  readonly reportFile: string | undefined;
  /** Folder for the logs of the services. */
  readonly logFolder: string | undefined;
}

/** Reads the command line. Throws INVALID_FIELD with what can not be used. */
export function readOptions(args: readonly string[]): FaultOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      scenario: { type: 'string' },
      runs: { type: 'string' },
      seed: { type: 'string', default: '1' },
      'tool-seconds': { type: 'string' },
      'production-timers': { type: 'boolean', default: false },
      shared: { type: 'boolean', default: false },
      goals: { type: 'boolean', default: false },
      mutants: { type: 'boolean', default: false },
      report: { type: 'string' },
      logs: { type: 'string' },
    },
  });
  const runs = numberOf('runs', values.runs);
  const toolSeconds = numberOf('tool-seconds', values['tool-seconds']);
  return {
    scenarios: scenariosOf(values.scenario),
    sizes: { ...(runs === undefined ? {} : { runs }), ...(toolSeconds === undefined ? {} : { toolSeconds }) },
    seed: numberOf('seed', values.seed) ?? 1,
    hasProductionTimers: values['production-timers'],
    isMutants: values.mutants,
    hasGoals: values.goals,
    isShared: values.shared,
    reportFile: values.report,
    logFolder: values.logs,
  };
}

function scenariosOf(names: string | undefined): readonly Scenario[] {
  if (names === undefined) {
    return allScenarios;
  }
  return names.split(',').map((name) => {
    const found = allScenarios.find((scenario) => scenario.name === name.trim().toUpperCase());
    if (found === undefined) {
      throw unusable(`--scenario: there is no ${name}; there are ${allScenarios.map((each) => each.name).join(', ')}.`);
    }
    return found;
  });
}

function numberOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) {
    return undefined;
  }
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw unusable(`--${name}: ${text} is no whole number from 1.`);
  }
  return value;
}

/** An option can not be used: whoever typed it corrects it. */
function unusable(what: string): DomainError {
  return new DomainError('invalid', 'INVALID_FIELD', what);
}
