import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { TerminalPrompt } from './terminal-prompt.ts';

const up = '\u001B[A';

test.each([true, false])('shows what is typed, but nothing of a secret, nor later (terminal: %s)', async (isTTY) => {
  const input = new PassThrough();
  const output = Object.assign(new PassThrough(), { isTTY });
  const shown: string[] = [];
  output.on('data', (chunk: Buffer) => shown.push(chunk.toString()));
  using prompt = new TerminalPrompt({ input, output });
  const { signal } = new AbortController();
  const first = prompt.ask('> ', signal);
  input.write('hello\n');
  expect(await first).toBe('hello');
  const secret = prompt.askSecret('token? ', signal);
  input.write(' top-secret\n');
  expect(await secret).toBe('top-secret');
  const last = prompt.ask('> ', signal);
  input.write(isTTY ? `${up}\n` : 'bye\n');
  expect(await last).toBe(isTTY ? 'hello' : 'bye');
  expect(shown.join('')).toContain('token? ');
  expect(shown.join('')).not.toContain('secret');
});

test('tells when its input has ended', async () => {
  const input = new PassThrough();
  using prompt = new TerminalPrompt({ input, output: new PassThrough() });
  const ended = Promise.withResolvers<void>();
  prompt.on('close', ended.resolve);
  input.end();
  await once(input, 'end');
  await ended.promise;
});
