import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type AttackedView, attackedView, secret } from './attack-harness.ts';
import { localStore } from './stores-under-test.ts';

/** A local disk under attack by somebody who has a shell and can plant things in the folder that it serves. */
export interface LocalAttack extends AsyncDisposable {
  readonly view: AttackedView;
  /** The folder that the disk serves. */
  readonly root: string;
  /** Host's path of `/workspace`. */
  readonly own: string;
  /** Host's path of a name outside of the disk; without one, of the folder that nobody may get to. */
  readonly outside: (name?: string) => string;
  /** Fails unless all outside is as it was. */
  assertOutsideUnharmed(): Promise<void>;
}

export async function localAttack(kind: 'descriptor' | 'checked'): Promise<LocalAttack> {
  const under = await localStore(kind);
  const view = await attackedView(under.store);
  const outside = (name = '') => join(under.outside, name);
  mkdirSync(outside('vault'));
  const secrets = ['secret.txt', 'vault/secret.txt'];
  for (const name of secrets) {
    writeFileSync(outside(name), secret);
  }
  return {
    view,
    root: under.root,
    own: join(under.root, 'ada'),
    outside,
    async assertOutsideUnharmed() {
      expect((await readdir(outside(), { recursive: true })).toSorted()).toEqual([
        'secret.txt',
        'vault',
        'vault/secret.txt',
      ]);
      expect(secrets.map((name) => readFileSync(outside(name), 'utf8'))).toEqual(secrets.map(() => secret));
    },
    [Symbol.asyncDispose]: () => under[Symbol.asyncDispose](),
  };
}
