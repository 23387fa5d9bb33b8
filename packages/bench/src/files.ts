import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freshDatabase } from '@spanwise/testing';
import { type BenchedFiles, opendalFiles, plainFiles, ServiceFiles } from './benched-files.ts';
import { residentMiB, startProgram } from './measured-process.ts';
import { median } from './statistics.ts';

const viewFile = `disks:
  tree: {kind: tree}
  folder: {kind: local, root: ./folder, trusted: true}
fs_view:
  session:
    mount_conf:
      - {mount: /tree, disk_name: tree, remote: "/{session_id}", output_path: true}
      - {mount: /folder, disk_name: folder}
`;

interface Sizes {
  /** Entries of the larger directory. */
  readonly many: number;
  /** Files that are searched. */
  readonly searched: number;
  readonly published: number;
  readonly rounds: number;
  readonly large: number;
}

const full: Sizes = { many: 100_000, searched: 10_000, published: 1000, rounds: 20, large: 32 * 1024 * 1024 };
const smoke: Sizes = { many: 300, searched: 100, published: 20, rounds: 2, large: 9 * 1024 * 1024 };

type Figures = Map<string, Map<string, string>>;

/**
 * What operations on files cost, each at the plain file system, at opendal, and at the service (over gRPC on loopback) on a
 * local disk, on a tree disk, and in the layer of a run over it. Wall time in milliseconds, medians.
 */
export async function measureFiles(isSmoke: boolean, databaseServerUrl: string | undefined): Promise<void> {
  const sizes = isSmoke ? smoke : full;
  const folder = await mkdtemp(join(tmpdir(), 'spanwise-bench-files-'));
  await mkdir(join(folder, 'folder'));
  await writeFile(join(folder, 'view.yaml'), viewFile);
  const figures: Figures = new Map();
  try {
    for (const files of [plainFiles(join(folder, 'folder')), opendalFiles(join(folder, 'folder'))]) {
      await measure(figures, files, sizes);
      await measureMany(figures, files, sizes);
    }
    await measureService(figures, 'SQLite', folder, `sqlite:${folder}/fs.db`, sizes);
    if (databaseServerUrl !== undefined) {
      await using database = await freshDatabase(databaseServerUrl);
      await measureService(figures, 'MariaDB', folder, database.url, sizes);
    }
    print(figures);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureService(figures: Figures, database: string, folder: string, url: string, sizes: Sizes) {
  const env = {
    ...process.env,
    SPANWISE_PORT: '0',
    SPANWISE_DATABASE_URL: url,
    SPANWISE_MIGRATE: 'always',
    SPANWISE_FS_VIEW: join(folder, 'view.yaml'),
    SPANWISE_LOG_LEVEL: 'error',
  };
  const { child, line } = await startProgram('./files-process.ts', env);
  try {
    const sessionId = randomUUID();
    const memory = () => residentMiB(child);
    const tree = new ServiceFiles(`tree, ${database}`, line, '/tree');
    await tree.open(sessionId, false);
    await measure(figures, tree, sizes, memory);
    const layer = new ServiceFiles(`layer, ${database}`, line, '/tree');
    await layer.open(sessionId, true);
    await measure(figures, layer, sizes);
    await measurePublishing(figures, line, database, sizes);
    const local = new ServiceFiles('local disk', line, '/folder');
    await local.open(sessionId, false);
    if (database === 'SQLite') {
      await measure(figures, local, sizes);
    }
    await measureMany(figures, tree, sizes, memory);
    const later = new ServiceFiles(`layer, ${database}`, line, '/tree');
    await later.open(sessionId, true);
    await measureMany(figures, later, sizes);
    if (database === 'SQLite') {
      await measureMany(figures, local, sizes);
    }
  } finally {
    child.kill('SIGTERM');
  }
}

/** Fills what is missing, then measures. */
async function measure(figures: Figures, files: BenchedFiles, sizes: Sizes, memory?: () => number): Promise<void> {
  const { rounds, large } = sizes;
  const note = noter(figures, files.name);
  const timed = async (row: string, work: (round: number) => Promise<unknown>, times = rounds) => {
    const took: number[] = [];
    for (let round = 0; round < times; round += 1) {
      const begin = performance.now();
      await work(round);
      took.push(performance.now() - begin);
    }
    note(row, median(took).toFixed(median(took) < 10 ? 2 : 0));
  };
  for (const [name, bytes] of [['1 KiB', 1024] as const, ['1 MiB', 1024 * 1024] as const, ['large', large] as const]) {
    const contents = Array.from({ length: Math.min(rounds, 5) }, () => new Uint8Array(randomBytes(bytes)));
    const before = memory?.() ?? 0;
    let most = before;
    const watched = async (work: () => Promise<unknown>) => {
      await work();
      most = Math.max(most, memory?.() ?? 0);
    };
    const times = bytes > 1024 * 1024 ? Math.min(rounds, 5) : rounds;
    const at = (round: number) => `sizes/${name.replace(' ', '-')}-${files.name.replaceAll(/\W/g, '')}-${round}`;
    const content = (round: number) => contents[round % contents.length] ?? new Uint8Array();
    await timed(`write ${name}`, (round) => watched(() => files.write(at(round), content(round))), times);
    await timed(`read ${name}`, (round) => watched(() => files.read(at(round))), times);
    if (memory !== undefined && name === 'large') {
      note('memory while large files pass, MiB more', (most - before).toFixed(0));
    }
  }
  await fill(files, 'thousand', Math.min(1000, sizes.many));
  await timed('stat', () => files.stat('thousand/entry-000007'));
  await timed('list of 1,000', () => files.list('thousand'), Math.min(rounds, 5));
  await fillTree(files, sizes.searched);
  const { glob, grep } = files;
  await timed('glob over 10,000', async () => glob?.('**/file-7*.txt'), glob === undefined ? 0 : 3);
  await timed('grep over 10,000', async () => grep?.('needle'), grep === undefined ? 0 : 3);
}

/** What takes longest to prepare comes last. */
async function measureMany(
  figures: Figures,
  files: BenchedFiles,
  { many }: Sizes,
  memory?: () => number,
): Promise<void> {
  const note = noter(figures, files.name);
  await fill(files, 'many', many);
  const before = memory?.() ?? 0;
  const begin = performance.now();
  await files.list('many');
  note('list of 100,000', (performance.now() - begin).toFixed(0));
  if (memory !== undefined) {
    note('memory after listing 100,000, MiB more', (memory() - before).toFixed(0));
  }
}

function noter(figures: Figures, name: string) {
  return (row: string, figure: string) => {
    figureOf(figures, row).set(name, figure);
    // It takes minutes: what is known is shown at once.
    process.stderr.write(`${name}: ${row} ${figure}\n`);
  };
}

async function measurePublishing(figures: Figures, url: string, database: string, sizes: Sizes): Promise<void> {
  const took: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const run = new ServiceFiles('run', url, '/tree');
    await run.open(randomUUID(), true);
    const write = (index: number) => run.write(`d${index % 20}/file-${index}`, new Uint8Array(randomBytes(1024)));
    await inParallel(sizes.published, write);
    const begin = performance.now();
    await run.commit();
    took.push(performance.now() - begin);
  }
  figureOf(figures, 'publish of 1,000 files').set(`layer, ${database}`, median(took).toFixed(0));
}

/** What others have filled already is not filled again. */
async function fill(files: BenchedFiles, directory: string, count: number): Promise<void> {
  const found = await files.list(directory).catch(() => 0);
  const names = Array.from({ length: count - found }, (_, index) => String(found + index).padStart(6, '0'));
  await inParallel(names.length, (index) => files.write(`${directory}/entry-${names[index]}`, new Uint8Array(16)));
}

async function fillTree(files: BenchedFiles, count: number): Promise<void> {
  const last = `tree/d${(count - 1) % 100}/file-${count - 1}.txt`;
  const isThere = await files.stat(last).then(
    () => true,
    () => false,
  );
  const text = 'a line of text that is not looked for\n'.repeat(25);
  await inParallel(isThere ? 0 : count, (index) => {
    const content = index % 100 === 0 ? `${text}needle\n` : text;
    return files.write(`tree/d${index % 100}/file-${index}.txt`, new TextEncoder().encode(content));
  });
}

async function inParallel(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) {
      next += 1;
      await work(next - 1);
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

function figureOf(figures: Figures, row: string): Map<string, string> {
  const found = figures.get(row) ?? new Map<string, string>();
  figures.set(row, found);
  return found;
}

function print(figures: Figures): void {
  const names = [...new Set([...figures.values()].flatMap((row) => [...row.keys()]))];
  process.stdout.write(`| ms | ${names.join(' | ')} |\n|---|${names.map(() => '---').join('|')}|\n`);
  for (const [row, cells] of figures) {
    const shown = names.map((name) => (cells.get(name) ?? 'NaN').replace('NaN', '–'));
    process.stdout.write(`| ${row} | ${shown.join(' | ')} |\n`);
  }
}
