import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { Health, HealthCheckResponse_ServingStatus as Status } from '@spanwise/contracts/grpc/health/v1/health';
import { FileKind, FileSystemService, LayerState } from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import { randomIds } from '@spanwise/kernel';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { collect, failure, openView, type ServiceFixture, serviceFixture } from './service-fixture.ts';

const ids = randomIds();
let service: ServiceFixture;
let view: Awaited<ReturnType<typeof openView>>;

beforeAll(async () => {
  service = await serviceFixture();
  view = await openView(service.as('ada'));
});
afterAll(() => service[Symbol.asyncDispose]());

test('is healthy, and refuses calls that name nobody', async () => {
  const transport = createGrpcTransport({ baseUrl: service.url });
  expect(await createClient(Health, transport).check({})).toMatchObject({ status: Status.SERVING });
  const anonymous = createClient(FileSystemService, transport).stat({ viewId: ids.uuid(), path: '/' });
  expect(await failure(anonymous)).toMatchObject({ kind: 'unauthenticated', reason: 'UNAUTHENTICATED' });
});

test('opens a view once, and describes it', async () => {
  const { client, viewId, sessionId } = view;
  const { view: opened } = await client.openView({ viewId, sessionId });
  const { view: described } = await client.describeView({ viewId });
  expect(described).toEqual(opened);
  expect(opened).toMatchObject({ id: viewId, sessionId, createTime: { nanos: expect.any(Number) } });
  expect(opened?.mounts.map(({ path, disk, readOnly, outputPath }) => [path, disk, readOnly, outputPath])).toEqual([
    ['/files', 'shelf', false, false],
    ['/notes', 'notes', false, false],
    ['/shelf', 'shelf', true, false],
    ['/tool-results', 'tool-results', true, false],
    ['/workspace', 'work', false, true],
  ]);
});

describe.each(['/workspace', '/files', '/notes'])('on the disk of %s', (mount) => {
  const folder = `${mount}/rpc`;
  const path = `${folder}/hello.txt`;

  test('writes, reads, stats and lists', async () => {
    const { client, viewId, put } = view;
    const { file, created } = await put(path, 'hello world');
    expect(created).toBe(true);
    expect(file).toMatchObject({ path, kind: FileKind.FILE, size: 11n, mediaType: '' });
    expect((await client.stat({ viewId, path })).file).toEqual(file);
    expect((await put(path, 'hello world')).created).toBe(false);
    const { data, file: whole } = await client.read({ viewId, path, offset: 6n, length: 3 });
    expect([new TextDecoder().decode(data), whole?.etag]).toEqual(['wor', file?.etag]);
    expect((await client.read({ viewId, path, offset: 2n ** 62n })).data).toHaveLength(0);
    const { entries, nextPageToken } = await client.list({ viewId, path: folder });
    expect([entries.map((entry) => entry.path), nextPageToken]).toEqual([[path], '']);
  });

  test('pages through a directory', async () => {
    const { client, viewId, put } = view;
    const names = Array.from({ length: 7 }, (_, index) => `${mount}/pages/${index}`);
    await Promise.all(names.map((name) => put(name, name)));
    const found: string[] = [];
    let pageToken = '';
    do {
      const page = await client.list({ viewId, path: `${mount}/pages/`, pageSize: 3, pageToken });
      found.push(...page.entries.map((entry) => entry.path));
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    expect(found).toEqual(names);
  });

  test('edits, moves, makes directories and deletes', async () => {
    const { client, viewId, put, text } = view;
    await put(`${mount}/e.txt`, 'a b b');
    const edited = await client.edit({ viewId, path: `${mount}/e.txt`, oldText: 'b', newText: 'c', replaceAll: true });
    expect(edited.replacements).toBe(2);
    expect((await client.makeDirectory({ viewId, path: `${mount}/new/dir` })).file?.kind).toBe(FileKind.DIRECTORY);
    const moved = await client.move({ viewId, fromPath: `${mount}/e.txt`, toPath: `${mount}/new/dir/f.txt` });
    expect(moved.file?.path).toBe(`${mount}/new/dir/f.txt`);
    expect(await text(`${mount}/new/dir/f.txt`)).toBe('a c c');
    await client.delete({ viewId, path: `${mount}/new`, recursive: true });
    expect(await failure(client.stat({ viewId, path: `${mount}/new/dir` }))).toMatchObject({ kind: 'not-found' });
  });

  test('answers failures with their codes, reasons and facts', async () => {
    const { client, viewId, put } = view;
    const at = (name: string) => `${mount}/fail/${name}`;
    const { file } = await put(at('f'), 'a b b');
    const etag = file?.etag ?? '';
    const failures: readonly (readonly [() => Promise<unknown>, string, string, Readonly<Record<string, string>>])[] = [
      [() => client.stat({ viewId, path: at('none') }), 'not-found', 'FILE_NOT_FOUND', { path: at('none') }],
      [() => client.list({ viewId, path: at('none') }), 'not-found', 'FILE_NOT_FOUND', { path: at('none') }],
      [() => client.list({ viewId, path: at('f') }), 'precondition', 'NOT_A_DIRECTORY', { path: at('f') }],
      [() => client.read({ viewId, path: at('none') }), 'not-found', 'FILE_NOT_FOUND', { path: at('none') }],
      [() => client.read({ viewId, path: `${mount}/fail` }), 'precondition', 'NOT_A_FILE', { path: `${mount}/fail` }],
      [() => put(`${mount}/fail`, 'x'), 'precondition', 'NOT_A_FILE', { path: `${mount}/fail` }],
      [() => put(at('f/below'), 'x'), 'precondition', 'NOT_A_DIRECTORY', { path: at('f') }],
      [() => put(at('f'), 'x', { ifMatch: 'stale' }), 'aborted', 'ETAG_MISMATCH', { path: at('f'), etag }],
      [() => put(at('f'), 'x', { createOnly: true }), 'exists', 'FILE_EXISTS', { path: at('f') }],
      [() => client.edit({ viewId, path: at('f'), oldText: 'z' }), 'precondition', 'EDIT_NO_MATCH', { path: at('f') }],
      [
        () => client.edit({ viewId, path: at('f'), oldText: 'b' }),
        'precondition',
        'EDIT_AMBIGUOUS',
        { path: at('f'), count: '2' },
      ],
      [
        () => client.edit({ viewId, path: at('f'), oldText: 'a', ifMatch: 'stale' }),
        'aborted',
        'ETAG_MISMATCH',
        { path: at('f'), etag },
      ],
      [
        () => client.edit({ viewId, path: at('none'), oldText: 'a' }),
        'not-found',
        'FILE_NOT_FOUND',
        { path: at('none') },
      ],
      [
        () => client.edit({ viewId, path: `${mount}/fail`, oldText: 'a' }),
        'precondition',
        'NOT_A_FILE',
        { path: `${mount}/fail` },
      ],
      [() => client.makeDirectory({ viewId, path: at('f') }), 'precondition', 'NOT_A_DIRECTORY', { path: at('f') }],
      [() => client.delete({ viewId, path: at('none') }), 'not-found', 'FILE_NOT_FOUND', { path: at('none') }],
      [
        () => client.delete({ viewId, path: `${mount}/fail` }),
        'precondition',
        'DIRECTORY_NOT_EMPTY',
        { path: `${mount}/fail` },
      ],
      [
        () => client.delete({ viewId, path: at('f'), ifMatch: 'stale' }),
        'aborted',
        'ETAG_MISMATCH',
        { path: at('f'), etag },
      ],
      [
        () => client.move({ viewId, fromPath: at('none'), toPath: at('x') }),
        'not-found',
        'FILE_NOT_FOUND',
        { path: at('none') },
      ],
      [
        () => client.move({ viewId, fromPath: at('f'), toPath: `${mount}/fail` }),
        'exists',
        'FILE_EXISTS',
        { path: `${mount}/fail` },
      ],
      [
        () => client.move({ viewId, fromPath: `${mount}/fail`, toPath: at('f/g') }),
        'invalid',
        'PATH_INVALID',
        { path: at('f/g'), why: 'it lies within what is moved' },
      ],
      [
        () => client.glob({ viewId, path: at('f'), pattern: '*' }),
        'precondition',
        'NOT_A_DIRECTORY',
        { path: at('f') },
      ],
      [
        () => client.glob({ viewId, path: at('none'), pattern: '*' }),
        'not-found',
        'FILE_NOT_FOUND',
        { path: at('none') },
      ],
    ];
    for (const [work, kind, reason, facts] of failures) {
      expect(await failure(work())).toEqual({ kind, reason, facts });
    }
  });

  test('lets one of 50 guarded writers win each round, and loses none of 50 edits', async () => {
    const { client, viewId, put, text } = view;
    const path = `${mount}/contended`;
    let etag = (await put(path, '0')).file?.etag ?? '';
    for (let round = 0; round < 3; round += 1) {
      const outcomes = await Promise.allSettled(
        Array.from({ length: 50 }, (_, index) => put(path, `${round}.${index}`, { ifMatch: etag })),
      );
      const won = outcomes.filter((outcome) => outcome.status === 'fulfilled');
      expect(won).toHaveLength(1);
      etag = won[0]?.value.file?.etag ?? '';
    }
    const lines = Array.from({ length: 50 }, (_, index) => `<${index}>`);
    await put(path, lines.join('\n'));
    await Promise.all(lines.map((line) => client.edit({ viewId, path, oldText: line, newText: `done ${line}` })));
    expect(await text(path)).toBe(lines.map((line) => `done ${line}`).join('\n'));
  });

  test('carries a file of 8 MiB both ways', async () => {
    const { client, viewId } = view;
    const data = new Uint8Array(8 * 1024 * 1024).map((_, index) => (index * 31) >> 3);
    await client.write({ viewId, path: `${mount}/large`, data });
    const read = await client.read({ viewId, path: `${mount}/large` });
    expect(Buffer.compare(read.data, data)).toBe(0);
    await client.delete({ viewId, path: `${mount}/large` });
  });
});

test('searches by pattern and by expression', async () => {
  const { client, viewId, put } = view;
  await put('/workspace/search/a.md', 'one\ntotal two\nthree');
  const globbed = await client.glob({ viewId, pattern: '**/search/*.md' });
  expect([globbed.files.map((file) => file.path), globbed.truncated]).toEqual([['/workspace/search/a.md'], false]);
  expect(globbed.files[0]?.etag).not.toBe('');
  const shelf = await client.glob({ viewId, path: '/shelf', pattern: '*.md', limit: 1 });
  expect(shelf.files.map((file) => [file.path, file.etag.length])).toEqual([['/shelf/book.md', 64]]);
  const messages = await collect(client.grep({ viewId, pattern: 'TOTAL', ignoreCase: true, contextLines: 1 }));
  expect(messages.flatMap(({ matches }) => matches)).toMatchObject([
    { path: '/shelf/book.md', line: 3, text: 'with a total of 7', before: [''], after: [] },
    { path: '/workspace/search/a.md', line: 2, text: 'total two', before: ['one'], after: ['three'] },
  ]);
  expect(messages.filter(({ summary }) => summary !== undefined)).toHaveLength(1);
  expect(messages.at(-1)?.summary).toMatchObject({ filesSkipped: 0, truncated: false });
});

test('lists the outputs of the run with their media types', async () => {
  const { client, viewId, put } = await openView(service.as('ada'));
  await put('/workspace/report.md', '# Report');
  await put('/workspace/table.csv', 'a,b');
  await put('/notes/no-output.md', 'x');
  const first = await client.listOutputs({ viewId, pageSize: 1 });
  const second = await client.listOutputs({ viewId, pageSize: 1, pageToken: first.nextPageToken });
  expect([...first.files, ...second.files]).toMatchObject([
    { path: '/workspace/report.md', size: 8n, mediaType: 'text/markdown', kind: FileKind.FILE },
    { path: '/workspace/table.csv', size: 3n, mediaType: 'text/csv', kind: FileKind.FILE },
  ]);
  expect(second.nextPageToken).toBe('');
});

test('describes a view: what is where, whether it can be changed, and what has become of its layer', async () => {
  const client = service.as('ada');
  const viewId = '00000000-0000-7000-8000-00000000dddd';
  const sessionId = '00000000-0000-7000-8000-00000000eeee';
  await client.openView({ viewId, sessionId, runLayer: true });
  const described = async () => (await client.describeView({ viewId })).view;
  const { layerState, mounts } = (await described()) ?? {};
  expect([layerState, mounts?.map(({ path, readOnly, outputPath }) => [path, readOnly, outputPath])]).toEqual([
    LayerState.OPEN,
    [
      ['/files', false, false],
      ['/notes', false, false],
      ['/shelf', true, false],
      ['/tool-results', true, false],
      ['/workspace', false, true],
    ],
  ]);
  await client.commitRun({ viewId, epoch: 1n });
  expect((await described())?.layerState).toBe(LayerState.PUBLISHED);
  await openView(client, { viewId: '00000000-0000-7000-8000-00000000ffff', sessionId });
  const { view } = await client.describeView({ viewId: '00000000-0000-7000-8000-00000000ffff' });
  expect(view?.layerState).toBe(LayerState.UNSPECIFIED);
});
