import type { RunScript, ScriptedCall, ScriptedTurn } from '../provider/run-script.ts';
import type { Random } from '../random.ts';

/** In the content of files: the id of the script that writes them. */
const ownId = '{script}';

/** A script with an id of its own. */
export function scriptOf(random: Random, number: number, turns: readonly ScriptedTurn[]): RunScript {
  const suffix = random.between(0, 0xffffff).toString(16).padStart(6, '0');
  const id = `script-${number}-${suffix}`;
  const named = JSON.parse(JSON.stringify(turns).replaceAll(ownId, id)) as readonly ScriptedTurn[];
  return { id, turns: named };
}

const briefTools: readonly ScriptedCall[] = [
  { name: 'effect', arguments: {} },
  { name: 'effect_idempotent', arguments: {} },
  { name: 'effect_read', arguments: {} },
  { name: 'effect', arguments: { ms: 100 } },
  { name: 'effect_idempotent', arguments: { ms: 100 } },
];

/** Files that runs of a session have in common, so that later runs find those of earlier ones. */
const paths = [
  '/workspace/a.txt',
  '/workspace/b.txt',
  '/workspace/notes/a.txt',
  '/workspace/notes/deep/c.txt',
] as const;

/** Share of sessions whose runs read and write files. */
const filesShare = 0.25;

/** Whether the runs of a session read and write files. */
export function drawsFiles(random: Random): boolean {
  return random.chance(filesShare);
}

/**
 * One to three turns with calls of all kinds, or two or three with files, and a last one with text only: a second or a few.
 * `hasFiles`: default drawn.
 */
export function mixedTurns(random: Random, _index = 0, hasFiles = drawsFiles(random)): readonly ScriptedTurn[] {
  const calls = () => Array.from({ length: random.between(1, 3) }, () => random.pick(briefTools));
  const rounds = hasFiles
    ? fileRounds(random).map((round) => [random.pick(briefTools), ...round])
    : Array.from({ length: random.between(1, 3) }, calls);
  const turns = rounds.map((tools) => ({ text: random.between(20, 200), delayMs: random.between(1, 10), tools }));
  return [...turns, lastTurn(random)];
}

/**
 * Calls of two or three turns: some files are read, which is what allows to overwrite them, then written, all of them with
 * contents that name the run, and now and then read again.
 */
export function fileRounds(random: Random): readonly (readonly ScriptedCall[])[] {
  const first = random.between(0, paths.length - 1);
  const some = [...paths.slice(first), ...paths.slice(0, first)].slice(0, random.between(2, 3));
  const reads = some.map((path) => ({ name: 'read', arguments: { path } }));
  const writes = some.map((path, index) => {
    return { name: 'write', arguments: { path, content: `file ${index} of ${ownId} ä😀` } };
  });
  return random.chance(0.5) ? [reads, writes, reads] : [reads, writes];
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
