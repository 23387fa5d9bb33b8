import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { HostileServers, notesIn, pidsIn } from './hostile-bench.ts';
import { type McpBench, until } from './mcp-bench.ts';

const servers = new HostileServers();

afterEach(() => servers.stopAll());
afterAll(() => servers[Symbol.asyncDispose]());

describe('a server that answers rubbish', () => {
  const own = new HostileServers();
  let bench: McpBench;

  beforeAll(async () => {
    bench = own.start('calls');
    await bench.listed();
  });
  afterAll(() => own[Symbol.asyncDispose]());

  test.each([
    ['huge', 'error: The server bad gave no usable answer: it is too long. What it did is done.'],
    ['twice', 'ok: first'],
    ['other', 'ok: mine'],
    ['wrong', 'ok: [No output.]'],
    ['types', 'error: The server bad gave no usable answer: it is not what was asked for. What it did is done.'],
    ['string', 'error: The server bad gave no usable answer: it is no message. What it did is done.'],
    ['error', 'error: The server bad answered with an error: can not open [path]'],
    ['stack', 'error: Error: boom\nBearer [redacted]\nhint: less'],
    ['rubbish', 'ok: after the rubbish'],
    ['deepresult', 'ok: deep\n[The structured result is nested too deeply and was left out.]'],
    ['sampling', 'ok: sample -32601, roots -32601'],
    ['url', 'ok: refused: -32602'],
    ['echo', 'ok: echo'],
  ])('is told of as it is: %s', async (tool, told) => {
    expect(await bench.told(`bad__${tool}`)).toBe(told);
  });

  test('goes on to be used after all that', async () => {
    expect(await bench.told('bad__echo')).toBe('ok: echo');
  });

  test('is shown to the model as far as it fits', async () => {
    const told = await bench.told('bad__long');
    expect(told).toContain('[Output cut: 2000 of 100000 lines');
    expect(told.length).toBeLessThan(12_000);
  });

  test('is told the span of the call', async () => {
    expect(await bench.told('bad__meta')).toMatch(/^ok: 00-1{32}-[0-9a-f]{16}-01$/);
  });
});

test('stops a call that never ends, and tells the server so', async () => {
  const file = servers.noteFile();
  const bench = servers.start('calls', file, { timeoutMs: 300 });
  await bench.listed();
  expect(await bench.told('bad__silent')).toBe(
    'timeout: The tool was stopped: it did not end within 0.3 s. What it did until then stays done. Ask for less at once.',
  );
  await until(() => notesIn(file).some((line) => line.startsWith('cancelled ')));
  expect(await bench.told('bad__echo')).toBe('ok: echo');
});

test('stops a call that its caller gives up, with the reason of the caller', async () => {
  const file = servers.noteFile();
  const bench = servers.start('calls', file);
  await bench.listed();
  const callId = bench.newId();
  const { stop, ended } = bench.begin('bad__silent', {}, { callId });
  await until(() => notesIn(file).includes('call silent'));
  stop();
  expect(await ended).toMatchObject({ message: 'stopped' });
  await until(() => notesIn(file).some((line) => line.startsWith('cancelled ')));
  expect(await bench.told('bad__silent', {}, { callId })).toContain('unknown: It is not known whether');
  expect(notesIn(file).filter((line) => line === 'call silent')).toHaveLength(1);
});

test('lets endless progress through as far as people can read it, and no further than the deadline', async () => {
  const bench = servers.start('calls', '', { timeoutMs: 1000 });
  await bench.listed();
  const frames = await bench.frames('bad__progress');
  const progress = frames.filter(({ type }) => type === 'progress');
  expect(progress.length).toBeGreaterThan(2);
  expect(progress.length).toBeLessThan(15);
  expect(progress[0]).toMatchObject({ progress: { message: 'm'.repeat(200) } });
  expect(frames.at(-1)).toMatchObject({ result: { outcome: 'timeout' } });
});

test.each(['die', 'exit'])(
  'knows nothing of a call whose program has ended midway (%s), and never repeats it',
  async (tool) => {
    const file = servers.noteFile();
    const bench = servers.start('calls', file);
    await bench.listed();
    const callId = bench.newId();
    const lost = await bench.last(`bad__${tool}`, {}, { callId });
    expect(lost).toMatchObject({ result: { outcome: 'unknown', code: 'TOOL_UNAVAILABLE' } });
    expect(await bench.told(`bad__${tool}`, {}, { callId })).toContain('unknown: ');
    expect(notesIn(file).filter((line) => line === `call ${tool}`)).toHaveLength(1);
    await until(() => pidsIn(file).length > 1);
    expect(await bench.told('bad__echo')).toBe('ok: echo');
  },
);

test('says that a call may be made again whose tool allows it, when its program has ended', async () => {
  const bench = servers.start('calls', '', { effects: { die: 'IDEMPOTENT' } });
  await bench.listed();
  expect(await bench.told('bad__die')).toBe(
    'error: The connection to the server bad was lost during the call. It may be called again.',
  );
});

test('offers of rubbish names what can be called', async () => {
  const bench = servers.start('names');
  const names = await bench.listed();
  expect(names).toEqual([
    'bad__plain',
    expect.stringMatching(/^bad__a_b_[0-9a-f]{8}$/),
    expect.stringMatching(/^bad__a_b_[0-9a-f]{8}$/),
    'bad____proto__',
    expect.stringMatching(/^bad__(long){12}lo_[0-9a-f]{8}$/),
  ]);
  expect(new Set(names).size).toBe(5);
  expect(names.every((name) => /^[a-zA-Z0-9_-]{1,64}$/.test(name))).toBe(true);
  const { title = '', description = '' } = bench.tools().at(-1) ?? {};
  expect([title, description.length, description.slice(0, 8)]).toEqual(['A  title', 4096, 'd[31meee']);
});

test('offers no tool whose schema can not be used, and the others', async () => {
  const bench = servers.start('schemas');
  expect(await bench.listed()).toEqual(['bad__fine', 'bad__loop']);
  const log = bench.logged.join('\n');
  for (const fault of ['outside of it', '32 levels', '65536 bytes', 'can not be compiled']) {
    expect(log).toContain(fault);
  }
  expect(await bench.told('bad__loop')).toContain('it is too large to be checked');
});

// A schema of 10,000 levels is more than the SDK can read: then there is no list at all.
test.each([
  ['many', 256],
  ['pages', 0],
  ['abyss', 0],
])('takes no more tools than are good for anybody: %s', async (mode, expected) => {
  const bench = servers.start(mode);
  await until(() => bench.names().length > 0 || bench.logged.some((line) => line.includes('not listed')));
  expect(bench.names()).toHaveLength(expected);
});

test('leaves out what does not fit the schema of the server itself', async () => {
  const bench = servers.start('typed');
  await bench.listed();
  const last = await bench.last('bad__typed');
  expect(last).toMatchObject({
    result: {
      outcome: 'ok',
      text: 'typed\n[The structured result does not fit the schema of the server and was left out.]',
      structuredJson: '',
    },
  });
});
