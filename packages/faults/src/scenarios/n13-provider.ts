import type { ProviderFault, ScriptedTurn } from '../provider/run-script.ts';
import { runLoad } from './load.ts';
import type { Scenario } from './scenario.ts';
import { textFor } from './scripts.ts';

const faultKinds: readonly ProviderFault[] = [
  'rate-limit',
  'server-error',
  'cut',
  'no-stop',
  'garbage',
  'duplicate-ids',
  'stall',
];
/** Calls of one turn that no model should ask for. */
const manyCalls = 1000;

/** The model stalls, refuses, breaks off, ends without a stop reason, sends garbage, uses ids twice, asks for too much. */
export const providerFaults: Scenario = {
  name: 'N13',
  title: 'model stalls, 429, 500, cut, no stop reason, garbage, duplicate ids, 1,000 calls',
  defaultRuns: 60,
  minCompleted: 0.9,
  slackMs: () => 60_000,
  async play(context) {
    const { sizes, outcome, faults } = context;
    const turns = (_: unknown, index: number) => turnsFor(index);
    await runLoad(context, { runs: sizes.runs, concurrency: 12, turns });
    const shown = new Set(
      faults.faults.flatMap(({ kind, target }) => (kind === 'model' ? [target.split(' ')[0]] : [])),
    );
    const missing = faultKinds.slice(0, sizes.runs).filter((kind) => !shown.has(kind));
    outcome.expect(missing.length === 0, `the model has not shown ${missing.join(', ')}`);
  },
};

function turnsFor(index: number): readonly ScriptedTurn[] {
  if (index % 20 === 0) {
    return [{ text: 10, tools: [{ name: 'effect_read', arguments: {}, repeat: manyCalls }] }, textFor(100)];
  }
  const fault = faultKinds[index % faultKinds.length] ?? 'cut';
  const calls = [{ name: 'effect', arguments: {}, repeat: 3 }];
  return [{ ...textFor(200), fault, tools: calls }, { ...textFor(200) }];
}
