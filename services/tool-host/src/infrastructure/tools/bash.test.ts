import { expect, test } from 'vitest';
import { type Script, ScriptedSandbox } from '../../../tests/scripted-sandbox.ts';
import { benchClock, ToolBench } from '../../../tests/tool-calls.ts';
import { sandboxUnavailable } from '../sandbox/sandbox-errors.ts';
import { defaultSandboxLimits } from '../sandbox/sandbox-runner.ts';
import { bashTool } from './bash.ts';

const allowed = { policy: { allow: ['bash'], ask: [], deny: [] } };
const bytes = (text: string) => new TextEncoder().encode(text);

function bench(script: Script) {
  const sandbox = new ScriptedSandbox(script);
  const tools = new ToolBench([bashTool({ sandbox, clock: benchClock })]);
  return { sandbox, call: (input: unknown, facts = {}) => tools.call('bash', input, { ...allowed, ...facts }) };
}

test('runs a command in the workspace and shows what it puts out, in order', async () => {
  const { sandbox, call } = bench(({ output }) => {
    output('stdout', bytes('one\n'));
    output('stderr', bytes('oops\n'));
    output('stdout', bytes('two'));
    return {};
  });
  expect((await call({ command: 'x' })).result).toMatchObject({
    outcome: 'ok',
    text: 'one\noops\ntwo\n[exit code 0]',
    structuredJson: '{"exit_code":0}',
    code: '',
  });
  const [{ script, cwd, limits } = expect.fail()] = sandbox.commands;
  expect({ script, cwd, limits }).toEqual({
    script: 'x',
    cwd: '/workspace',
    limits: { ...defaultSandboxLimits, wallMs: 120_000 },
  });
});

test('is asked for unless a rule allows it, and by the command', async () => {
  const { sandbox, call } = bench(() => ({}));
  const none = { policy: { allow: [], ask: [], deny: [] }, isInteractive: false };
  expect((await call({ command: 'ls' }, none)).result).toMatchObject({ outcome: 'error', code: 'TOOL_DENIED' });
  const some = { policy: { allow: ['bash(ls *)'], ask: [], deny: [] }, isInteractive: false };
  expect((await call({ command: 'ls -l' }, some)).result).toMatchObject({ outcome: 'ok' });
  expect((await call({ command: 'rm -r .' }, some)).result).toMatchObject({ code: 'TOOL_DENIED' });
  expect(sandbox.commands.map(({ script }) => script)).toEqual(['ls -l']);
});

test.each([
  ['that failed', { exitCode: 3 }, 'COMMAND_FAILED', '[exit code 3]', { exit_code: 3 }],
  [
    'that left what can not be kept',
    { exitCode: 0, notices: ['1 link was not kept.'] },
    '',
    '[1 link was not kept.]\n[exit code 0]',
    { exit_code: 0 },
  ],
  [
    'that took too long',
    { exitCode: 137, stoppedBy: 'time' as const },
    'COMMAND_FAILED',
    '[Stopped: it did not end within 5 s. Ask for less at once, or give it more seconds (at most 600).]\n[exit code 137]',
    { exit_code: 137, stopped_by: 'time' },
  ],
  [
    'that put out too much',
    { exitCode: 137, stoppedBy: 'output' as const },
    'COMMAND_FAILED',
    '[Stopped: it put out more than 8 MiB. Write it to a file.]\n[exit code 137]',
    { exit_code: 137, stopped_by: 'output' },
  ],
])('tells of a command %s', async (_, exit, code, text, structured) => {
  const { result } = await bench(() => exit).call({ command: 'x', timeout_seconds: 5 });
  expect([result.code, result.text, JSON.parse(result.structuredJson)]).toEqual([code, text, structured]);
});

test('gives a command no more time than the call has', async () => {
  const { sandbox, call } = bench(() => ({}));
  await call({ command: 'x', timeout_seconds: 600 }, { timeoutMs: 60_000 });
  await call({ command: 'y', timeout_seconds: 600 }, { callId: 'another' });
  expect(sandbox.commands.map(({ limits }) => limits.wallMs)).toEqual([57_750, 600_000]);
});

test('shows both ends of a long output, and where the whole is', async () => {
  const { call } = bench(({ output }) => {
    for (let line = 0; line < 10_000; line += 1) {
      output('stdout', bytes(`line ${line}\n`));
    }
    return { exitCode: 1 };
  });
  const { result } = await call({ command: 'x' });
  expect(result.text.length).toBeLessThan(31_000);
  expect(result.text).toMatch(/^line 0\nline 1\n[^]*\nline 9999\n/);
  expect(result.text).toMatch(/All of it is in \/tool-results\/[^]*\[exit code 1\]$/);
});

test('tells what comes while it comes, whole characters only', async () => {
  const parts = [bytes('ä').subarray(0, 1), bytes('ä').subarray(1), bytes('b')];
  const { call } = bench(async ({ output }) => {
    for (const part of parts) {
      output('stdout', part);
      await new Promise((resolve) => setTimeout(resolve, 80));
    }
    return {};
  });
  const { frames, result } = await call({ command: 'x' });
  const told = frames.flatMap((frame) => (frame.type === 'output' ? [frame.text] : []));
  expect([told.join(''), told.length > 1, result.text]).toEqual(['äb', true, 'äb\n[exit code 0]']);
});

test('names what is no text', async () => {
  const { call } = bench(({ output }) => {
    output('stdout', new Uint8Array([0x89, 0x50, 0, 1]));
    output('stderr', bytes('warned\n'));
    return {};
  });
  expect((await call({ command: 'x' })).result.text).toBe('warned\n[stdout: binary, 4 bytes]\n[exit code 0]');
});

test('says why commands can not be run', async () => {
  const { call } = bench(() => {
    throw sandboxUnavailable('this machine has no namespaces');
  });
  expect((await call({ command: 'x' })).result).toMatchObject({
    outcome: 'error',
    code: 'SANDBOX_UNAVAILABLE',
    text: expect.stringContaining('this machine has no namespaces. The operator') as string,
  });
});
