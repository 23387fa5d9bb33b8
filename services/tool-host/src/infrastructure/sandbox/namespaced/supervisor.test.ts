import { expect, test } from 'vitest';
import { defaultSandboxLimits } from '../sandbox-runner.ts';
import { exitCodeOf, supervisorScript } from './supervisor.ts';

test.each([
  ['exit 0', 0],
  ['exit 255', 255],
  ['exit 256', undefined],
  ['exit -1', undefined],
  ['exit 1 ', undefined],
  ['ready', undefined],
])('reads %j as %j', (line, exitCode) => {
  expect(exitCodeOf(line)).toBe(exitCode);
});

test('sets every limit before the command, or does not begin', () => {
  const lines = supervisorScript(defaultSandboxLimits, 1024 * 1024).split('\n');
  expect(lines.filter((line) => line.startsWith('ulimit'))).toEqual([
    'ulimit -c 0 || exit 125',
    'ulimit -n 256 || exit 125',
    'ulimit -u 258 || exit 125',
    'ulimit -f 1024 || exit 125',
    'ulimit -t 61 || exit 125',
    'ulimit -d 1310720 || exit 125',
  ]);
  expect(lines.findIndex((line) => line.startsWith('bash'))).toBeGreaterThan(
    lines.findLastIndex((line) => line.startsWith('ulimit')),
  );
});
