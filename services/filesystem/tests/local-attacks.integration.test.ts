import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { randomIds } from '@spanwise/kernel';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { VirtualPath } from '../src/domain/path/virtual-path.ts';
import { DescriptorFolder } from '../src/infrastructure/disks/local/descriptor-folder.ts';
import { LocalDisk } from '../src/infrastructure/disks/local/local-disk.ts';
import { type AttackedView, assertNothingTold, attackedView, secret, withinPatience } from './attack-harness.ts';
import { ada, failureOf, never, viewId } from './files-fixture.ts';
import { type LocalStore, localStore } from './stores-under-test.ts';
import { startSwapping } from './swapper.ts';

let under: LocalStore;
let view: AttackedView;
/** Host's path of `/workspace`, where an attacker with a shell can plant things. */
let own: string;

async function open(kind: 'descriptor' | 'checked'): Promise<void> {
  under = await localStore(kind);
  view = await attackedView(under.store);
  own = join(under.root, 'ada');
  mkdirSync(join(under.outside, 'vault'));
  writeFileSync(join(under.outside, 'secret.txt'), secret);
  writeFileSync(join(under.outside, 'vault/secret.txt'), secret);
}

async function assertOutsideUnharmed(): Promise<void> {
  expect((await readdir(under.outside, { recursive: true })).toSorted()).toEqual([
    'secret.txt',
    'vault',
    'vault/secret.txt',
  ]);
  for (const file of ['secret.txt', 'vault/secret.txt']) {
    expect(readFileSync(join(under.outside, file), 'utf8')).toBe(secret);
  }
}

interface PlantedAttack {
  readonly name: string;
  readonly plant: () => void;
  /** Paths that are attacked with every operation. */
  readonly paths: readonly string[];
}

const outside = (name = '') => join(under.outside, name);

// The tests are run by whoever works on the code, as root in containers: whatever is planted leads into the folder of the
// test and nowhere else, so that code that is broken harms nothing of the machine.
const planted: readonly PlantedAttack[] = [
  { name: 'link to a file', plant: () => symlinkSync(outside('secret.txt'), join(own, 'l')), paths: ['/workspace/l'] },
  {
    name: 'relative link to a file',
    plant: () => symlinkSync('../../outside/secret.txt', join(own, 'l')),
    paths: ['/workspace/l'],
  },
  {
    name: 'link to a directory',
    plant: () => symlinkSync(outside('vault'), join(own, 'l')),
    paths: ['/workspace/l', '/workspace/l/secret.txt', '/workspace/l/new.txt', '/workspace/l/new/deep.txt'],
  },
  {
    name: 'link to the parent',
    plant: () => symlinkSync('..', join(own, 'l')),
    paths: ['/workspace/l', '/workspace/l/secret.txt', '/workspace/l/bob/secret.txt'],
  },
  {
    name: 'link that goes up to the root of the host and down again',
    plant: () => symlinkSync(`${'../'.repeat(40)}${outside('vault')}`, join(own, 'l')),
    paths: ['/workspace/l', '/workspace/l/secret.txt', '/workspace/l/new.txt'],
  },
  {
    name: 'chain of links',
    plant: () => {
      symlinkSync(outside('secret.txt'), join(own, 'third'));
      symlinkSync('third', join(own, 'second'));
      symlinkSync('second', join(own, 'first'));
    },
    paths: ['/workspace/first', '/workspace/second', '/workspace/third'],
  },
  {
    name: 'chain of links to directories',
    plant: () => {
      symlinkSync(outside(), join(own, 'second'));
      symlinkSync('second/vault', join(own, 'first'));
    },
    paths: ['/workspace/first/secret.txt', '/workspace/second/vault/secret.txt', '/workspace/second/new'],
  },
  {
    name: 'link to itself',
    plant: () => symlinkSync('l', join(own, 'l')),
    paths: ['/workspace/l', '/workspace/l/x'],
  },
  {
    name: 'dangling link',
    plant: () => symlinkSync(outside('made.txt'), join(own, 'l')),
    paths: ['/workspace/l'],
  },
  {
    name: 'dangling link to a directory',
    plant: () => symlinkSync(outside('made'), join(own, 'l')),
    paths: ['/workspace/l', '/workspace/l/x', '/workspace/l/x/y'],
  },
  {
    name: 'link to files of another user on the same disk',
    plant: () => symlinkSync('../bob/secret.txt', join(own, 'l')),
    paths: ['/workspace/l'],
  },
  {
    name: 'link through the magic of /proc',
    plant: () => symlinkSync(`/proc/self/root${outside('vault')}`, join(own, 'l')),
    paths: ['/workspace/l', '/workspace/l/secret.txt', '/workspace/l/new.txt'],
  },
  {
    name: 'hard link to a file',
    plant: () => linkSync(outside('secret.txt'), join(own, 'l')),
    paths: ['/workspace/l'],
  },
  {
    name: 'link deep inside a directory that is deleted and moved as a whole',
    plant: () => {
      mkdirSync(join(own, 'd/e'), { recursive: true });
      symlinkSync(outside('vault'), join(own, 'd/e/l'));
      linkSync(outside('secret.txt'), join(own, 'd/e/h'));
    },
    paths: ['/workspace/d', '/workspace/d/e'],
  },
  {
    name: 'pipe without a writer',
    plant: () => execFileSync('mkfifo', [join(own, 'p')]),
    paths: ['/workspace/p', '/workspace/p/x'],
  },
  {
    name: 'pipes in a directory that is searched',
    plant: () => {
      mkdirSync(join(own, 'd'));
      execFileSync('mkfifo', [join(own, 'd/p')]);
      execFileSync('mkfifo', [join(own, 'd/q')]);
    },
    paths: ['/workspace/d'],
  },
  {
    name: 'name that the temporary files of the disk have',
    plant: () => symlinkSync(outside('made.txt'), join(own, `.spanwise-${'0'.repeat(32)}.tmp`)),
    paths: [`/workspace/.spanwise-${'0'.repeat(32)}.tmp`, `/workspace/.spanwise-${'0'.repeat(32)}.tmp/x`],
  },
  {
    name: 'names that no path leads to',
    plant: () => {
      symlinkSync(outside('secret.txt'), join(own, 'a\nb'));
      writeFileSync(Buffer.concat([Buffer.from(`${own}/`), Buffer.from([0xff, 0xfe])]), 'x');
    },
    paths: ['/workspace', '/workspace/a\nb', '/workspace/\ufffd\ufffd'],
  },
];

for (const kind of ['descriptor', 'checked'] as const) {
  describe.skipIf(kind === 'descriptor' && process.platform !== 'linux')(`planted on local, by ${kind}`, () => {
    beforeEach(() => open(kind));
    afterEach(() => under[Symbol.asyncDispose]());

    test.each(planted)('survives: $name', async ({ plant, paths }) => {
      plant();
      for (const path of [...paths, '/workspace', '/']) {
        assertNothingTold(await view.attack(path));
        await assertOutsideUnharmed();
      }
      await view.assertUnharmed();
    });

    test('tells links, hard links, pipes and sockets from files, and does not list them', async () => {
      symlinkSync(outside('secret.txt'), join(own, 'link'));
      symlinkSync(outside('vault'), join(own, 'dirlink'));
      linkSync(outside('secret.txt'), join(own, 'hard'));
      execFileSync('mkfifo', [join(own, 'pipe')]);
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(join(own, 'socket'), resolve));
      const special = ['link', 'dirlink', 'hard', 'pipe', 'socket'];
      const { files } = view;
      expect(await files.names('/workspace')).toEqual(['/workspace/own']);
      for (const name of special) {
        const path = `/workspace/${name}`;
        expect(await failureOf(files.text(path))).toEqual({ reason: 'NOT_A_FILE', facts: { path } });
        expect(await failureOf(files.put(path, 'x'))).toEqual({ reason: 'NOT_A_FILE', facts: { path } });
        expect(await failureOf(files.stat.execute(ada, { viewId, path }, never))).toMatchObject({
          reason: 'FILE_NOT_FOUND',
        });
        expect(await failureOf(files.names(path))).toMatchObject({
          reason: name === 'hard' ? 'NOT_A_DIRECTORY' : expect.stringMatching(/^NOT_A_DIRECTORY$/),
        });
      }
      expect(await failureOf(files.put('/workspace/dirlink/x', 'x'))).toEqual({
        reason: 'NOT_A_DIRECTORY',
        facts: { path: '/workspace/dirlink' },
      });
      expect(await failureOf(files.text('/workspace/dirlink/secret.txt'))).toEqual({
        reason: 'NOT_A_FILE',
        facts: { path: '/workspace/dirlink/secret.txt' },
      });
      await new Promise((resolve) => server.close(resolve));
    });
  });
}

describe.runIf(process.platform === 'linux')('races on local, by descriptors', () => {
  beforeEach(() => open('descriptor'));
  afterEach(() => under[Symbol.asyncDispose]());

  /** Attacks again and again while another thread changes things, and expects no secret to be told or harmed. */
  async function attackWhile(script: string, attack: () => Promise<unknown>, rounds = 400): Promise<void> {
    const swapper = await startSwapping(script);
    try {
      const told: string[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const outcome = await withinPatience(attack().catch((error: unknown) => String(error)));
        told.push(typeof outcome === 'string' ? outcome : `${JSON.stringify(outcome)}`);
      }
      expect(told.filter((text) => text.includes(secret))).toEqual([]);
      expect(swapper.count()).toBeGreaterThan(50);
    } finally {
      await swapper[Symbol.asyncDispose]();
    }
    await assertOutsideUnharmed();
  }

  const quoted = (...parts: string[]) => JSON.stringify(join(...parts));

  test('survives: file and link swapped while it is read', async () => {
    writeFileSync(join(own, 'good'), 'good');
    const [name, good, bad] = [quoted(own, 'x'), quoted(own, 'good2'), quoted(own, 'bad')];
    await attackWhile(
      `fs.copyFileSync(${quoted(own, 'good')}, ${good}); fs.renameSync(${good}, ${name});
       fs.symlinkSync(${quoted(under.outside, 'secret.txt')}, ${bad}); fs.renameSync(${bad}, ${name})`,
      () => view.files.text('/workspace/x'),
    );
  });

  test.each([0, 3600])('survives: file and hard link, %d s old, swapped while it is read', async (ageS) => {
    const written = Date.now() / 1000 - ageS;
    utimesSync(outside('secret.txt'), written, written);
    const [name, bad] = [quoted(own, 'x'), quoted(own, 'bad')];
    await attackWhile(
      `fs.writeFileSync(${bad}, 'good'); fs.renameSync(${bad}, ${name}); fs.unlinkSync(${name});
       fs.linkSync(${quoted(under.outside, 'secret.txt')}, ${name}); fs.unlinkSync(${name})`,
      () => view.files.text('/workspace/x'),
      1500,
    );
  });

  const swapDirectory = () => {
    mkdirSync(join(own, 'd'));
    writeFileSync(join(own, 'd/secret.txt'), 'harmless');
    return `fs.renameSync(${quoted(own, 'd')}, ${quoted(own, 'kept')});
      fs.symlinkSync(${quoted(under.outside, 'vault')}, ${quoted(own, 'd')});
      fs.unlinkSync(${quoted(own, 'd')});
      fs.renameSync(${quoted(own, 'kept')}, ${quoted(own, 'd')})`;
  };

  test('survives: directory and link swapped while a file in it is read', async () => {
    await attackWhile(swapDirectory(), () => view.files.text('/workspace/d/secret.txt'));
  });

  test('survives: directory and link swapped while it is listed and searched', async () => {
    await attackWhile(swapDirectory(), () => view.files.search('SECRET', { path: '/workspace' }), 100);
    expect(await view.files.names('/workspace/d')).toEqual(['/workspace/d/secret.txt']);
  });

  test('survives: directory and link swapped while it is written into', async () => {
    let round = 0;
    const write = () => view.files.put(`/workspace/d/secret.txt`, `round ${(round += 1)}`);
    const swapping = swapDirectory();
    // A write makes `d` when it is missing for a moment; the swapper then starts over.
    await attackWhile(
      `try { ${swapping} } catch { fs.rmSync(${quoted(own, 'kept')}, { recursive: true, force: true }) }`,
      write,
      150,
    );
  });

  test('survives: directory and link swapped while what is in it is deleted', async () => {
    const remove = async () => {
      const request = { viewId, path: '/workspace/d/secret.txt', isRecursive: true, ifMatch: undefined };
      await view.files.delete.execute(ada, request, never);
    };
    await attackWhile(swapDirectory(), remove);
    await attackWhile('', () => view.files.names('/workspace'), 1);
  });

  test('survives: directory and link swapped below one that is deleted as a whole', async () => {
    // Built aside, so that the test itself does not write through a link.
    const build = (round: number) => {
      mkdirSync(join(own, `fresh${round}/in`), { recursive: true });
      writeFileSync(join(own, `fresh${round}/in/file`), 'x');
      renameSync(join(own, `fresh${round}`), join(own, 'top'));
    };
    let round = 0;
    const swap = `try { fs.renameSync(${quoted(own, 'top/in')}, ${quoted(own, 'top/kept')});
      fs.symlinkSync(${quoted(under.outside, 'vault')}, ${quoted(own, 'top/in')});
      fs.unlinkSync(${quoted(own, 'top/in')});
      fs.renameSync(${quoted(own, 'top/kept')}, ${quoted(own, 'top/in')}) } catch {}`;
    await attackWhile(
      swap,
      async () => {
        build((round += 1));
        await view.files.delete.execute(ada, { viewId, path: '/workspace/top', isRecursive: true }, never);
      },
      100,
    );
  });

  test('survives: target directory and link swapped while a file is moved there', async () => {
    const swapping = swapDirectory();
    let round = 0;
    await attackWhile(
      `try { ${swapping} } catch { fs.rmSync(${quoted(own, 'kept')}, { recursive: true, force: true }) }`,
      async () => {
        await view.files.put('/workspace/m', 'moving');
        await view.files.move.execute(
          ada,
          { viewId, fromPath: '/workspace/m', toPath: `/workspace/d/m${(round += 1)}` },
          never,
        );
      },
      100,
    );
  });

  test('survives: root replaced by a link after the disk was opened', async () => {
    renameSync(under.root, `${under.root}-moved`);
    symlinkSync(under.outside, under.root);
    expect(await view.files.text('/workspace/own/mine.txt')).toBe('mine');
    await view.files.put('/workspace/new.txt', 'new');
    expect(existsSync(join(under.outside, 'ada'))).toBe(false);
    await assertOutsideUnharmed();
  });

  test('survives: directory of the session replaced by a link', async () => {
    renameSync(own, `${own}-moved`);
    symlinkSync(outside(), own);
    for (const path of ['/workspace', '/workspace/secret.txt', '/workspace/new.txt']) {
      assertNothingTold(await view.attack(path));
    }
    await assertOutsideUnharmed();
  });

  test('survives: devices', async () => {
    // Only read: these are the machine's own.
    const disk = new LocalDisk({ name: 'dev', root: await DescriptorFolder.openRoot('/dev'), ids: randomIds() });
    for (const path of ['/zero', '/null', '/full', '/random', '/tty'].map((text) => VirtualPath.parse(text))) {
      const read = disk.read(ada, path, { offset: 0, length: 10 }, never);
      expect(await withinPatience(failureOf(read))).toMatchObject({
        reason: expect.stringMatching(/^(NOT_A_FILE|DISK_UNAVAILABLE)$/),
      });
      expect(await withinPatience(disk.stat(ada, path, never).catch(() => undefined))).toBeUndefined();
    }
    await disk[Symbol.asyncDispose]();
  });

  test.runIf(process.getuid?.() === 0)('survives: a device that was planted, which only root can do', async () => {
    execFileSync('mknod', [join(own, 'zero'), 'c', '1', '5']);
    assertNothingTold(await view.attack('/workspace/zero'));
    assertNothingTold(await view.attack('/workspace'));
    await assertOutsideUnharmed();
    await view.assertUnharmed();
  });
});
