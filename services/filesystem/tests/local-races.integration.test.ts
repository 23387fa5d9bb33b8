import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomIds } from '@spanwise/kernel';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { VirtualPath } from '../src/domain/path/virtual-path.ts';
import { DescriptorFolder } from '../src/infrastructure/disks/local/descriptor-folder.ts';
import { LocalDisk } from '../src/infrastructure/disks/local/local-disk.ts';
import { type AttackedView, assertNothingTold, secret, withinPatience } from './attack-harness.ts';
import { ada, failureOf, never, viewId } from './files-fixture.ts';
import { type LocalAttack, localAttack } from './local-attack-fixture.ts';
import { startSwapping } from './swapper.ts';

describe.runIf(process.platform === 'linux')('races on local, by descriptors', () => {
  let attack: LocalAttack;
  let view: AttackedView;
  let own: string;
  beforeEach(async () => {
    attack = await localAttack('descriptor');
    ({ view, own } = attack);
  });
  afterEach(() => attack[Symbol.asyncDispose]());

  /** Attacks again and again while another thread changes things, and expects no secret to be told or harmed. */
  async function attackWhile(script: string, operation: () => Promise<unknown>, rounds = 400): Promise<void> {
    const swapper = await startSwapping(script);
    try {
      const told: string[] = [];
      // On a busy machine the other thread has few turns: rounds without it would attack nothing.
      const isTooFew = (round: number) => round < rounds || (swapper.count() <= 50 && round < 20 * rounds);
      for (let round = 0; isTooFew(round); round += 1) {
        const outcome = await withinPatience(operation().catch((error: unknown) => String(error)));
        told.push(typeof outcome === 'string' ? outcome : JSON.stringify(outcome ?? null));
      }
      expect(told.filter((text) => text.includes(secret))).toEqual([]);
      expect(swapper.count()).toBeGreaterThan(50);
    } finally {
      await swapper[Symbol.asyncDispose]();
    }
    await attack.assertOutsideUnharmed();
  }

  const quoted = (...parts: string[]) => JSON.stringify(join(...parts));

  test('survives: file and link swapped while it is read', async () => {
    writeFileSync(join(own, 'good'), 'good');
    const [name, good, bad] = [quoted(own, 'x'), quoted(own, 'good2'), quoted(own, 'bad')];
    await attackWhile(
      `fs.copyFileSync(${quoted(own, 'good')}, ${good}); fs.renameSync(${good}, ${name});
       fs.symlinkSync(${JSON.stringify(attack.outside('secret.txt'))}, ${bad}); fs.renameSync(${bad}, ${name})`,
      () => view.files.text('/workspace/x'),
    );
  });

  test.each([0, 3600])('survives: file and hard link, %d s old, swapped while it is read', async (ageS) => {
    const written = Date.now() / 1000 - ageS;
    utimesSync(attack.outside('secret.txt'), written, written);
    const [name, bad] = [quoted(own, 'x'), quoted(own, 'bad')];
    await attackWhile(
      `fs.writeFileSync(${bad}, 'good'); fs.renameSync(${bad}, ${name}); fs.unlinkSync(${name});
       fs.linkSync(${JSON.stringify(attack.outside('secret.txt'))}, ${name}); fs.unlinkSync(${name})`,
      () => view.files.text('/workspace/x'),
      1500,
    );
  });

  const swapDirectory = () => {
    mkdirSync(join(own, 'd'));
    writeFileSync(join(own, 'd/secret.txt'), 'harmless');
    return `fs.renameSync(${quoted(own, 'd')}, ${quoted(own, 'kept')});
      fs.symlinkSync(${JSON.stringify(attack.outside('vault'))}, ${quoted(own, 'd')});
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
      fs.symlinkSync(${JSON.stringify(attack.outside('vault'))}, ${quoted(own, 'top/in')});
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
    const { root, outside } = attack;
    renameSync(root, `${root}-moved`);
    symlinkSync(outside(), root);
    expect(await view.files.text('/workspace/own/mine.txt')).toBe('mine');
    await view.files.put('/workspace/new.txt', 'new');
    expect(existsSync(outside('ada'))).toBe(false);
    await attack.assertOutsideUnharmed();
  });

  test('survives: directory of the session replaced by a link', async () => {
    renameSync(own, `${own}-moved`);
    symlinkSync(attack.outside(), own);
    for (const path of ['/workspace', '/workspace/secret.txt', '/workspace/new.txt']) {
      assertNothingTold(await view.attack(path));
    }
    await attack.assertOutsideUnharmed();
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
    await attack.assertOutsideUnharmed();
    await view.assertUnharmed();
  });
});
