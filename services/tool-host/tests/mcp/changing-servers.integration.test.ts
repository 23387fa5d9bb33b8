import { writeFileSync } from 'node:fs';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { InMemoryToolPins } from '../../src/infrastructure/mcp/tool-pins.ts';
import { HostileServers, pidsIn } from './hostile-bench.ts';
import { isAlive, McpBench, toolServer, until } from './mcp-bench.ts';

const servers = new HostileServers();

afterEach(() => servers.stopAll());
afterAll(() => servers[Symbol.asyncDispose]());

describe('a tool that changes', () => {
  test('is not used until its operator allows it, whichever replica looks', async () => {
    const file = servers.noteFile();
    const pins = new InMemoryToolPins();
    expect(await servers.start('changing', file, {}, { pins }).listed()).toEqual(['bad__steady', 'bad__shifty']);
    writeFileSync(`${file}.version`, 'two');
    const other = servers.start('changing', file, {}, { pins });
    expect(await other.listed()).toEqual(['bad__steady']);
    expect(await other.last('bad__shifty')).toMatchObject({ result: { outcome: 'error', code: 'TOOL_CHANGED' } });
    const [, hash = ''] = /"tool":"shifty","hash":"([0-9a-f]{64})"/.exec(other.logged.join('\n')) ?? [];
    const allowed = servers.start('changing', file, { pinned: { shifty: hash } }, { pins });
    expect(await allowed.listed()).toEqual(['bad__steady', 'bad__shifty']);
    // It counts from then on.
    expect(await servers.start('changing', file, {}, { pins }).listed()).toEqual(['bad__steady', 'bad__shifty']);
  });

  test('is used at once where nothing is pinned, and never where only the file counts', async () => {
    const file = servers.noteFile();
    const pins = new InMemoryToolPins();
    await servers.start('changing', file, {}, { pins }).listed();
    writeFileSync(`${file}.version`, 'two');
    expect(await servers.start('changing', file, { pin: 'none' }, { pins }).listed()).toHaveLength(2);
    const strict = servers.start('changing', file, { pin: 'file' }, { pins });
    await until(() => strict.logged.some((line) => line.includes('have changed')));
    expect(strict.names()).toEqual([]);
  });

  test('is listed anew when the server says that its list has changed', async () => {
    const file = servers.noteFile();
    const bench = servers.start('growing', file);
    expect(await bench.listed()).toEqual(['bad__first']);
    writeFileSync(`${file}.more`, '');
    expect(await bench.listed((names) => names.length === 2)).toEqual(['bad__first', 'bad__second']);
  });
});

describe('a program', () => {
  test('that ends when it is asked what revisions it speaks is spoken to in an old one', async () => {
    const file = servers.noteFile();
    const bench = servers.start('quits', file);
    await bench.listed();
    expect(pidsIn(file)).toHaveLength(2);
    expect(await bench.told('bad__echo')).toBe('ok: echo');
  });

  test('that hangs keeps nobody waiting but those who call it', async () => {
    const bench = servers.start('hang', '', {}, { times: { connectMs: 60_000, probeMs: 100, waitMs: 200 } });
    const begun = performance.now();
    expect(bench.names()).toEqual([]);
    expect(await bench.last('bad__any')).toMatchObject({ result: { outcome: 'error', code: 'TOOL_UNAVAILABLE' } });
    expect(performance.now() - begun).toBeLessThan(5000);
  });

  test('that is not there is tried again, with growing pauses', async () => {
    const missing = toolServer('gone', { kind: 'mcp-stdio', command: '/nowhere/at-all', args: [], env: {} });
    const bench = new McpBench([missing]);
    servers.keep(bench);
    await until(() => bench.logged.filter((line) => line.includes('not made')).length >= 3);
    expect(await bench.last('gone__x')).toMatchObject({
      result: { outcome: 'error', code: 'TOOL_UNAVAILABLE', text: expect.stringContaining('nothing was done') },
    });
  });

  test.each(['ignores-term', 'children'])(
    'is ended with all that it has started, whatever it does: %s',
    async (mode) => {
      const file = servers.noteFile();
      const bench = servers.start(mode, file);
      await bench.listed();
      const pids = [...pidsIn(file), ...pidsIn(file, 'child')];
      expect(pids).toHaveLength(mode === 'children' ? 2 : 1);
      expect(pids.every(isAlive)).toBe(true);
      await bench[Symbol.asyncDispose]();
      await until(() => !pids.some(isAlive), 3000);
    },
  );
});
