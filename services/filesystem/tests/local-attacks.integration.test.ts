import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { assertNothingTold } from './attack-harness.ts';
import { ada, failureOf, never, viewId } from './files-fixture.ts';
import { type LocalAttack, localAttack } from './local-attack-fixture.ts';

interface PlantedAttack {
  readonly name: string;
  readonly plant: (attack: LocalAttack) => void;
  /** Paths that are attacked with every operation. */
  readonly paths: readonly string[];
}

// The tests are run by whoever works on the code, as root in containers: whatever is planted leads into the folder of the
// test and nowhere else, so that code that is broken harms nothing of the machine.
const planted: readonly PlantedAttack[] = [
  {
    name: 'link to a file',
    plant: ({ own, outside }) => symlinkSync(outside('secret.txt'), join(own, 'l')),
    paths: ['/workspace/l'],
  },
  {
    name: 'relative link to a file',
    plant: ({ own }) => symlinkSync('../../outside/secret.txt', join(own, 'l')),
    paths: ['/workspace/l'],
  },
  {
    name: 'link to a directory',
    plant: ({ own, outside }) => symlinkSync(outside('vault'), join(own, 'l')),
    paths: ['/workspace/l', '/workspace/l/secret.txt', '/workspace/l/new.txt', '/workspace/l/new/deep.txt'],
  },
  {
    name: 'link to the parent',
    plant: ({ own }) => symlinkSync('..', join(own, 'l')),
    paths: ['/workspace/l', '/workspace/l/secret.txt', '/workspace/l/bob/secret.txt'],
  },
  {
    name: 'link that goes up to the root of the host and down again',
    plant: ({ own, outside }) => symlinkSync(`${'../'.repeat(40)}${outside('vault')}`, join(own, 'l')),
    paths: ['/workspace/l', '/workspace/l/secret.txt', '/workspace/l/new.txt'],
  },
  {
    name: 'chain of links',
    plant: ({ own, outside }) => {
      symlinkSync(outside('secret.txt'), join(own, 'third'));
      symlinkSync('third', join(own, 'second'));
      symlinkSync('second', join(own, 'first'));
    },
    paths: ['/workspace/first', '/workspace/second', '/workspace/third'],
  },
  {
    name: 'chain of links to directories',
    plant: ({ own, outside }) => {
      symlinkSync(outside(), join(own, 'second'));
      symlinkSync('second/vault', join(own, 'first'));
    },
    paths: ['/workspace/first/secret.txt', '/workspace/second/vault/secret.txt', '/workspace/second/new'],
  },
  {
    name: 'link to itself',
    plant: ({ own }) => symlinkSync('l', join(own, 'l')),
    paths: ['/workspace/l', '/workspace/l/x'],
  },
  {
    name: 'dangling link',
    plant: ({ own, outside }) => symlinkSync(outside('made.txt'), join(own, 'l')),
    paths: ['/workspace/l'],
  },
  {
    name: 'dangling link to a directory',
    plant: ({ own, outside }) => symlinkSync(outside('made'), join(own, 'l')),
    paths: ['/workspace/l', '/workspace/l/x', '/workspace/l/x/y'],
  },
  {
    name: 'link to files of another user on the same disk',
    plant: ({ own }) => symlinkSync('../bob/secret.txt', join(own, 'l')),
    paths: ['/workspace/l'],
  },
  {
    name: 'link through the magic of /proc',
    plant: ({ own, outside }) => symlinkSync(`/proc/self/root${outside('vault')}`, join(own, 'l')),
    paths: ['/workspace/l', '/workspace/l/secret.txt', '/workspace/l/new.txt'],
  },
  {
    name: 'hard link to a file',
    plant: ({ own, outside }) => linkSync(outside('secret.txt'), join(own, 'l')),
    paths: ['/workspace/l'],
  },
  {
    name: 'link deep inside a directory that is deleted and moved as a whole',
    plant: ({ own, outside }) => {
      mkdirSync(join(own, 'd/e'), { recursive: true });
      symlinkSync(outside('vault'), join(own, 'd/e/l'));
      linkSync(outside('secret.txt'), join(own, 'd/e/h'));
    },
    paths: ['/workspace/d', '/workspace/d/e'],
  },
  {
    name: 'pipe without a writer',
    plant: ({ own }) => execFileSync('mkfifo', [join(own, 'p')]),
    paths: ['/workspace/p', '/workspace/p/x'],
  },
  {
    name: 'pipes in a directory that is searched',
    plant: ({ own }) => {
      mkdirSync(join(own, 'd'));
      execFileSync('mkfifo', [join(own, 'd/p')]);
      execFileSync('mkfifo', [join(own, 'd/q')]);
    },
    paths: ['/workspace/d'],
  },
  {
    name: 'name that the temporary files of the disk have',
    plant: ({ own, outside }) => symlinkSync(outside('made.txt'), join(own, `.spanwise-${'0'.repeat(32)}.tmp`)),
    paths: [`/workspace/.spanwise-${'0'.repeat(32)}.tmp`, `/workspace/.spanwise-${'0'.repeat(32)}.tmp/x`],
  },
  {
    name: 'names that no path leads to',
    plant: ({ own, outside }) => {
      symlinkSync(outside('secret.txt'), join(own, 'a\nb'));
      writeFileSync(Buffer.concat([Buffer.from(`${own}/`), Buffer.from([0xff, 0xfe])]), 'x');
    },
    paths: ['/workspace', '/workspace/a\nb', '/workspace/\ufffd\ufffd'],
  },
];

for (const kind of ['descriptor', 'checked'] as const) {
  describe.skipIf(kind === 'descriptor' && process.platform !== 'linux')(`planted on local, by ${kind}`, () => {
    let attack: LocalAttack;
    beforeEach(async () => {
      attack = await localAttack(kind);
    });
    afterEach(() => attack[Symbol.asyncDispose]());

    test.each(planted)('survives: $name', async ({ plant, paths }) => {
      const { view } = attack;
      plant(attack);
      for (const path of [...paths, '/workspace', '/']) {
        assertNothingTold(await view.attack(path));
        await attack.assertOutsideUnharmed();
      }
      await view.assertUnharmed();
    });

    test('tells links, hard links, pipes and sockets from files, and does not list them', async () => {
      const { own, outside, view } = attack;
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
