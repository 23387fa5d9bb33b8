import { parse, serialize } from 'just-bash';
import { expect, test } from 'vitest';
import { streamOutput } from './stream-output.ts';

const paths = { stdout: '/1', stderr: '/2' };

/** The script with `@` for what is added. */
function streamed(script: string): string {
  return serialize(streamOutput(parse(script), paths))
    .replaceAll(/ 1?>> ?\/1 2>> ?\/2/g, ' @')
    .trim();
}

test.each([
  ['commands', 'echo a; ls -l && cat b || c', 'echo a @\nls -l @ && cat b @ || c @'],
  ['only the end of a pipe', 'a | b | c', 'a | b | c @'],
  [
    'what is in loops and branches',
    'for i in 1; do if a; then b; fi; done',
    'for i in 1; do\nif a @; then\nb @\nfi\ndone',
  ],
  ['nothing that is captured', 'x=$(a; b | c)', 'x=$(a; b | c)'],
  ['before redirections of the script', 'a > f 2>&1', 'a @ > f 2>&1'],
  ['a redirected group as a whole', '{ a; b; } > f', '{ a; b; } @ > f'],
  ['neither exec nor what may be it', 'exec > f; $x a; command exec > f', 'exec > f\n$x a\ncommand exec > f'],
  ['functions that are called only', 'f() { a; }; f', 'f() { a @; }\nf @'],
  ['no functions that are captured', 'f() { a; }; x=$(f); f', 'f() { a; }\nx=$(f)\nf @'],
  ['no functions that captured ones call', 'g() { a; }; f() { g; }; f | b', 'g() { a; }\nf() { g; }\nf | b @'],
  ['no functions when anything may be captured', 'f() { a; }; x=$($y)', 'f() { a; }\nx=$($y)'],
])('adds redirections to %s', (_, script, expected) => {
  const normal = (text: string) =>
    text
      .replaceAll(/[\s;]+/g, ' ')
      .replaceAll(/(\d?>>?&?) /g, '$1')
      .trim();
  expect(normal(streamed(script))).toBe(normal(expected));
});
