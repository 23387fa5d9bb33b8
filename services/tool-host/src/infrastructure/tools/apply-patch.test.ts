import type { ToolContext, ToolOutput } from '@spanwise/tool-kit/contract';
import { describe, expect, test } from 'vitest';
import { InMemoryFiles } from '../../../tests/in-memory-files.ts';
import { KeyedFiles } from '../../../tests/keyed-files.ts';
import { ann, benchClock, ToolBench, toolCall } from '../../../tests/tool-calls.ts';
import { tracedFiles } from '../../application/traced-files.ts';
import { ReadVersions } from '../../domain/files/read-versions.ts';
import { callSpans } from '../telemetry/call-spans.ts';
import { applyPatchTool } from './apply-patch.ts';

const patchOf = (...lines: readonly string[]) => ['*** Begin Patch', ...lines, '*** End Patch'].join('\n');
const input = (...lines: readonly string[]) => ({ patch: patchOf(...lines) });

const all = input(
  '*** Add File: new.txt',
  '+new',
  '*** Update File: a.txt',
  ' one',
  '-two',
  '+2',
  '*** Update File: b.txt',
  '*** Move to: sub/c.txt',
  '-bee',
  '+sea',
  '*** Delete File: old.txt',
);

function filled(files: InMemoryFiles): InMemoryFiles {
  files.put('/workspace/a.txt', 'one\r\ntwo\r\n');
  files.put('/workspace/b.txt', 'bee');
  files.put('/workspace/old.txt', new Uint8Array([0, 1]));
  return files;
}

function bench(): ToolBench {
  const made = new ToolBench();
  filled(made.files);
  return made;
}

/** Paths and contents below the workspace. */
function tree(files: InMemoryFiles): Record<string, string> {
  return Object.fromEntries(
    files.under('/workspace').map((path) => [path.slice('/workspace/'.length), files.text(path)]),
  );
}

const before = { 'a.txt': 'one\r\ntwo\r\n', 'b.txt': 'bee', 'old.txt': '\0\u0001' };
const after = { 'a.txt': 'one\r\n2\r\n', 'new.txt': 'new\n', 'sub/c.txt': 'sea' };

test('adds, updates, moves and deletes files at once', async () => {
  const made = bench();
  const { result } = await made.call('apply_patch', all);
  expect(result).toMatchObject({
    outcome: 'ok',
    text: [
      'Added /workspace/new.txt',
      'Updated /workspace/a.txt',
      'Added /workspace/sub/c.txt',
      'Deleted /workspace/b.txt',
      'Deleted /workspace/old.txt',
    ].join('\n'),
  });
  expect(JSON.parse(result.structuredJson)).toEqual({
    changes: [
      { path: '/workspace/new.txt', change: 'create', etag: 'v4', size: 4 },
      { path: '/workspace/a.txt', change: 'update', etag: 'v5', size: 8 },
      { path: '/workspace/sub/c.txt', change: 'create', etag: 'v6', size: 3 },
      { path: '/workspace/b.txt', change: 'delete' },
      { path: '/workspace/old.txt', change: 'delete' },
    ],
  });
  expect(tree(made.files)).toEqual(after);
});

test('keeps a byte order mark', async () => {
  const made = bench();
  made.files.put('/workspace/a.txt', '\ufeffone\n');
  await made.text('apply_patch', input('*** Update File: a.txt', '-one', '+1'));
  expect([...made.files.file('/workspace/a.txt').data]).toEqual([0xef, 0xbb, 0xbf, 0x31, 0x0a]);
});

test.each([
  [
    'a hunk does not fit',
    ['*** Add File: n', '+x', '*** Update File: a.txt', '-three', '+3'],
    /^error: Hunk 1 of \/workspace\/a.txt does not fit/,
  ],
  [
    'a new file is there',
    ['*** Delete File: b.txt', '*** Add File: a.txt', '+x'],
    /^error: Something is at \/workspace\/a.txt already/,
  ],
  [
    'the target of a move is there',
    ['*** Update File: b.txt', '*** Move to: a.txt'],
    /^error: Something is at \/workspace\/a.txt already/,
  ],
  [
    'a file is not there',
    ['*** Add File: n', '+x', '*** Update File: z', '-x', '+y'],
    /^error: There is nothing at \/workspace\/z/,
  ],
  [
    'what is to be deleted is not there',
    ['*** Add File: n', '+x', '*** Delete File: z'],
    /^error: There is nothing at \/workspace\/z/,
  ],
  [
    'nothing but what is to be deleted is missing',
    ['*** Delete File: z'],
    /^error: There is nothing at \/workspace\/z/,
  ],
  ['a directory is named', ['*** Add File: n', '+x', '*** Delete File: .'], /^error: \/workspace is not a file/],
  [
    'a file is binary',
    ['*** Add File: n', '+x', '*** Update File: old.txt', '-x', '+y'],
    /^error: \/workspace\/old.txt is binary/,
  ],
  [
    'a file is named twice',
    ['*** Delete File: a.txt', '*** Add File: ./sub/../a.txt', '+x'],
    /^error: The patch names \/workspace\/a.txt more than once/,
  ],
  [
    'a file moves onto itself',
    ['*** Update File: a.txt', '*** Move to: a.txt'],
    /names \/workspace\/a.txt more than once/,
  ],
  ['it is no patch', ['a.txt'], /^error: The patch can not be read, line 2/],
])('changes nothing when %s', async (_, lines, text) => {
  const made = bench();
  expect(await made.text('apply_patch', input(...lines))).toMatch(text);
  expect(tree(made.files)).toEqual(before);
  expect(made.files.calls.filter(({ idempotencyKey }) => idempotencyKey !== '').length).toBeLessThanOrEqual(1);
});

test('refuses files that are too long before it has read them', async () => {
  const made = bench();
  made.files.put('/workspace/long', new Uint8Array(8 * 1024 * 1024 + 1));
  expect(await made.text('apply_patch', input('*** Delete File: long'))).toMatch(
    /^error: \/workspace\/long is too long/,
  );
});

describe('what the session has read', () => {
  test('may not have changed since', async () => {
    const made = bench();
    await made.text('read', { path: 'a.txt' });
    made.files.put('/workspace/a.txt', 'one\r\ntwo\r\nthree\r\n');
    expect(await made.text('apply_patch', all)).toMatch(/^error: \/workspace\/a.txt has changed since it was read/);
    expect(tree(made.files)).toEqual({ ...before, 'a.txt': 'one\r\ntwo\r\nthree\r\n' });
  });

  test('need not be read again, and nothing else counts as read', async () => {
    const made = bench();
    await made.text('read', { path: 'a.txt' });
    await made.text('apply_patch', all);
    expect(await made.text('write', { path: 'a.txt', content: 'x' })).toMatch(/^Overwrote/);
    expect(await made.text('write', { path: 'new.txt', content: 'x' })).toMatch(/^Overwrote/);
    expect(await made.text('write', { path: 'sub/c.txt', content: 'x' })).toMatch(/has not been read/);
  });
});

describe('when somebody else changes a file meanwhile', () => {
  /** Puts something at `path` just before the patch would change it. */
  function meddle(files: InMemoryFiles, path: string, others: () => void): void {
    const assertWritable = files.assertWritable.bind(files);
    files.assertWritable = (asked) => {
      assertWritable(asked);
      if (asked === path) {
        files.assertWritable = assertWritable;
        others();
      }
    };
  }

  test('takes back what it has done, and says so', async () => {
    const made = bench();
    meddle(made.files, '/workspace/old.txt', () => void made.files.put('/workspace/old.txt', 'theirs'));
    expect(await made.text('apply_patch', all)).toBe(
      'error: The patch stopped at /workspace/old.txt: /workspace/old.txt has changed since it was read. Read it again, ' +
        'then repeat what still applies. Undone again: /workspace/new.txt, /workspace/a.txt, /workspace/sub/c.txt, ' +
        '/workspace/b.txt. No other file is changed.',
    );
    expect(tree(made.files)).toEqual({ ...before, 'old.txt': 'theirs' });
  });

  test('says what it could not take back because that was changed too', async () => {
    const made = bench();
    meddle(made.files, '/workspace/old.txt', () => {
      made.files.put('/workspace/old.txt', 'theirs');
      made.files.put('/workspace/new.txt', 'theirs');
    });
    expect(await made.text('apply_patch', all)).toMatch(
      /Undone again: \S+a.txt, \S+c.txt, \S+b.txt. Still changed, because they could not be undone: \/workspace\/new.txt.$/,
    );
    expect(tree(made.files)).toEqual({ ...before, 'old.txt': 'theirs', 'new.txt': 'theirs' });
  });

  test('has nothing to take back at the first change', async () => {
    const made = bench();
    meddle(made.files, '/workspace/new.txt', () => void made.files.put('/workspace/new.txt', 'theirs'));
    expect(await made.text('apply_patch', all)).toBe(
      'error: Something is at /workspace/new.txt already. Choose another path.',
    );
    expect(tree(made.files)).toEqual({ ...before, 'new.txt': 'theirs' });
  });

  test('takes back what it has done where it may not write', async () => {
    const made = bench();
    const lines = ['*** Update File: a.txt', '-two', '+2', '*** Add File: /inputs/x', '+x'];
    expect(await made.text('apply_patch', input(...lines))).toMatch(
      /^error: The patch stopped at \/inputs\/x: \/inputs\/x can not be changed.* Undone again: \/workspace\/a.txt. No other/,
    );
    expect(tree(made.files)).toEqual(before);
  });
});

describe('executed again, after its process was lost,', () => {
  const call = toolCall('apply_patch', all);
  const { sessionId, runId: viewId, epoch } = call;

  /** As another process executes the call: what it had read is forgotten. */
  async function execute(files: KeyedFiles, patch: unknown = all, idempotencyKey = 'run:call'): Promise<ToolOutput> {
    let ids = 0;
    const startSpans = callSpans({ ids: { spanId: () => `${++ids}` }, clock: benchClock });
    const { signal } = new AbortController();
    const spans = startSpans(call, () => undefined);
    const traced = tracedFiles(files, { caller: ann, sessionId, viewId, epoch, idempotencyKey, signal }, spans);
    const reads = new ReadVersions().of(ann.uid, sessionId);
    const ignored = () => undefined;
    const log = { debug: ignored, info: ignored, warn: ignored, error: ignored };
    const context = { files: traced, reads, signal, log } as Partial<ToolContext> as ToolContext;
    const output = await applyPatchTool.execute(patch as { patch: string }, context);
    return 'text' in output ? output : expect.fail('it was suspended');
  }

  test.each([0, 1, 2, 3, 4, 5])('does what is left when it had done %i changes', async (count) => {
    const memory = filled(new InMemoryFiles());
    const files = new KeyedFiles(memory);
    const made: string[] = [];
    const assertWritable = memory.assertWritable.bind(memory);
    memory.assertWritable = (path) => {
      assertWritable(path);
      made.push(path);
    };
    files.crashAfter = count - 1;
    if (count > 0) {
      void execute(files);
      await expect.poll(() => made.length).toBe(count);
    }
    files.crashAfter = Number.POSITIVE_INFINITY;
    await execute(files);
    expect(tree(memory)).toEqual(after);
    expect(made.length).toBe(5);
  });

  test('says what it had done', async () => {
    const files = new KeyedFiles(filled(new InMemoryFiles()));
    await execute(files);
    expect(await execute(files)).toMatchObject({
      notice: expect.stringContaining('[Made when this call was executed before: /workspace/new.txt, /workspace/a.txt'),
    });
  });

  test('is not mixed up with another call that asks for the same', async () => {
    const memory = filled(new InMemoryFiles());
    const files = new KeyedFiles(memory);
    await execute(files);
    await expect(execute(files, all, 'run:other')).rejects.toMatchObject({ reason: 'FILE_EXISTS' });
    await expect(execute(files, input('*** Update File: a.txt', '-two', '+2'), 'run:third')).rejects.toMatchObject({
      reason: 'EDIT_NO_MATCH',
    });
    expect(tree(memory)).toEqual(after);
  });
});
