import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { InMemoryFiles } from '../../../tests/in-memory-files.ts';
import { viewOf } from '../../../tests/sandbox-attack-ground.ts';
import { ScriptedSandbox } from '../../../tests/scripted-sandbox.ts';
import { CheckedSandbox } from './checked-sandbox.ts';
import { sandboxUnavailable } from './sandbox-errors.ts';
import { defaultSandboxLimits, type SandboxCommand } from './sandbox-runner.ts';
import { SandboxSlots } from './sandbox-slots.ts';

const never = new AbortController().signal;

function command(script: string): SandboxCommand {
  const files = viewOf(new InMemoryFiles());
  return { script, files, cwd: '/workspace', limits: defaultSandboxLimits, output: () => undefined };
}

function slowSandbox() {
  const ends: (() => void)[] = [];
  const sandbox = new ScriptedSandbox(() => new Promise((resolve) => ends.push(() => resolve({}))));
  return { sandbox, endFirst: () => ends.shift()?.() };
}

test('lets the next begin when one ends, in turn', async () => {
  const { sandbox, endFirst } = slowSandbox();
  const slots = new SandboxSlots(sandbox, 2);
  const begun = () => sandbox.commands.map(({ script }) => script);
  const all = ['a', 'b', 'c', 'd'].map((script) => slots.run(command(script), never));
  await turn();
  expect(begun()).toEqual(['a', 'b']);
  endFirst();
  await all[0];
  await turn();
  expect(begun()).toEqual(['a', 'b', 'c']);
  for (const running of all.slice(1)) {
    endFirst();
    await turn();
    await running;
  }
  expect(begun()).toEqual(['a', 'b', 'c', 'd']);
});

test('lets who gives up leave the row', async () => {
  const { sandbox, endFirst } = slowSandbox();
  const slots = new SandboxSlots(sandbox, 1);
  const first = slots.run(command('a'), never);
  const leave = new AbortController();
  const second = slots.run(command('b'), leave.signal);
  const third = slots.run(command('c'), never);
  leave.abort(new TypeError('left'));
  await expect(second).rejects.toThrow('left');
  endFirst();
  await first;
  await turn();
  endFirst();
  await third;
  expect(sandbox.commands.map(({ script }) => script)).toEqual(['a', 'c']);
});

test('runs nothing after a check that failed, and says why each time', async () => {
  const sandbox = new ScriptedSandbox();
  sandbox.checkFailure = sandboxUnavailable('a test says so');
  const told: unknown[] = [];
  const checked = new CheckedSandbox(sandbox, (level, failure) => told.push([level, failure]));
  await expect(checked.run(command('a'), never)).rejects.toThrow('a test says so');
  await expect(checked.run(command('b'), never)).rejects.toThrow('a test says so');
  expect([sandbox.commands, told]).toEqual([[], [['virtual', sandbox.checkFailure]]]);
  await checked[Symbol.asyncDispose]();
  expect(sandbox.isDisposed).toBe(true);
});

test('waits for the check before it runs anything', async () => {
  const sandbox = new ScriptedSandbox(() => ({ exitCode: 4 }));
  const told: unknown[] = [];
  const checked = new CheckedSandbox(sandbox, (level, failure) => told.push([level, failure]));
  expect(await checked.run(command('a'), never)).toEqual({ exitCode: 4, stoppedBy: undefined, notices: [] });
  expect(told).toEqual([['virtual', undefined]]);
});
