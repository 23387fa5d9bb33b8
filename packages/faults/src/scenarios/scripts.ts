import type { RunScript, ScriptedCall, ScriptedTurn } from '../provider/run-script.ts';
import type { Random } from '../random.ts';

/** A script with an id of its own. */
export function scriptOf(random: Random, number: number, turns: readonly ScriptedTurn[]): RunScript {
  const suffix = random.between(0, 0xffffff).toString(16).padStart(6, '0');
  return { id: `script-${number}-${suffix}`, turns };
}

const briefTools: readonly ScriptedCall[] = [
  { name: 'effect', arguments: {} },
  { name: 'effect_idempotent', arguments: {} },
  { name: 'effect_read', arguments: {} },
  { name: 'effect', arguments: { ms: 100 } },
  { name: 'effect_idempotent', arguments: { ms: 100 } },
];

/** One to three turns with calls of all kinds, and a last one with text only: a second or a few. */
export function mixedTurns(random: Random): readonly ScriptedTurn[] {
  const turns = Array.from({ length: random.between(1, 3) }, () => ({
    text: random.between(20, 200),
    delayMs: random.between(1, 10),
    tools: Array.from({ length: random.between(1, 3) }, () => random.pick([...briefTools, writeCall(random)])),
  }));
  return [...turns, lastTurn(random)];
}

/** A last answer of 100 to 400 characters. */
function lastTurn(random: Random): ScriptedTurn {
  return { text: random.between(100, 400), delayMs: random.between(1, 10) };
}

/** Text that streams for about so long. */
export function textFor(ms: number): ScriptedTurn {
  const delayMs = 10;
  return { text: Math.ceil(ms / delayMs) * 4, delayMs };
}

/** A file that is published with the run. */
function writeCall(random: Random): ScriptedCall {
  const path = `/workspace/file-${random.between(0, 1e9)}.txt`;
  return { name: 'write', arguments: { path, content: `made by ${path} ä😀` } };
}
