import { expect, test } from 'vitest';
import { VirtualPath } from '../../../domain/path/virtual-path.ts';
import { PathTurns } from './path-turns.ts';

const at = (text: string) => VirtualPath.parse(text);
const never = new AbortController().signal;

/** Work that begins when its turn comes and ends when it is told to. */
function held(turns: PathTurns, begun: string[], path: string, signal = never) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const ended = turns.run([at(path)], signal, async () => {
    begun.push(path);
    await promise;
  });
  return { ended, end: resolve };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) {
    await Promise.resolve();
  }
}

test('lets changes wait for those before them whose paths touch, and for no others', async () => {
  const turns = new PathTurns();
  const begun: string[] = [];
  const first = held(turns, begun, '/a/b');
  const same = held(turns, begun, '/a/b');
  const above = held(turns, begun, '/a');
  const beside = held(turns, begun, '/a/bc');
  const apart = held(turns, begun, '/x');
  await settle();
  expect(begun).toEqual(['/a/b', '/x']);
  first.end();
  await settle();
  expect(begun).toEqual(['/a/b', '/x', '/a/b']);
  same.end();
  await settle();
  expect(begun).toEqual(['/a/b', '/x', '/a/b', '/a']);
  above.end();
  await settle();
  expect(begun).toEqual(['/a/b', '/x', '/a/b', '/a', '/a/bc']);
  beside.end();
  apart.end();
  await Promise.all([first, same, above, beside, apart].map(({ ended }) => ended));
});

test('goes on after one that fails, and lets those go that were given up', async () => {
  const turns = new PathTurns();
  const begun: string[] = [];
  const failed = turns.run([at('/a')], never, async () => {
    throw new RangeError('planted');
  });
  const first = held(turns, begun, '/a');
  const leaving = new AbortController();
  const gone = held(turns, begun, '/a/gone', leaving.signal);
  const last = held(turns, begun, '/a/last');
  leaving.abort(new RangeError('gone'));
  await expect(failed).rejects.toThrow('planted');
  await expect(gone.ended).rejects.toThrow('gone');
  await settle();
  expect(begun).toEqual(['/a']);
  first.end();
  last.end();
  await last.ended;
  expect(begun).toEqual(['/a', '/a/last']);
});
