import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { NamespacedSandbox } from '../src/infrastructure/sandbox/namespaced/namespaced-sandbox.ts';
import { AttackGround } from './sandbox-attack-ground.ts';
import type { SandboxAttack } from './sandbox-attacks.ts';

/** Attempts that only make sense where there are namespaces; those that are made on every level are in sandbox-attacks.ts. */
const namespaceAttacks: readonly SandboxAttack[] = [
  {
    name: 'mount over /usr',
    script: () =>
      `mount -t tmpfs none /usr && printf '%s%s' BRE ACH; mount --bind /tmp /usr && printf '%s%s' BRE ACH; true`,
    expect: 'blocked',
  },
  {
    name: 'become root in a user namespace',
    script: () =>
      `unshare -Ur sh -c 'mount -t tmpfs none /mnt' && printf '%s%s' BRE ACH; unshare -Urm true && printf '%s%s' BRE ACH; true`,
    expect: 'blocked',
  },
  {
    name: 'enter the namespaces of the host',
    script: ({ pid }) =>
      `nsenter -t ${pid} -a id && printf '%s%s' BRE ACH; nsenter -t 1 -m ls /root && printf '%s%s' BRE ACH; true`,
    expect: 'blocked',
  },
  {
    name: 'trace the process that runs the sandbox',
    script: ({ pid }) => `perl -e 'print "BRE", "ACH" if syscall(101, 16, ${pid}, 0, 0) == 0'; true`,
    expect: 'blocked',
  },
  {
    name: 'use programs that run as their owner',
    script: () =>
      `for p in $(find /usr/bin -perm -4000); do echo | timeout 1 $p -c id 2>/dev/null | grep 'uid=0' && printf '%s%s' BRE ACH; done; true`,
    expect: 'blocked',
  },
  {
    name: 'find a socket of the host',
    script: () =>
      `find / -xdev -type s 2>/dev/null | grep . && printf '%s%s' BRE ACH; grep -c @ /proc/net/unix | grep -v '^0$' && printf '%s%s' BRE ACH; true`,
    expect: 'blocked',
  },
  {
    name: 'hide what is written in deep folders',
    script: () =>
      `while :; do mkdir aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa && cd aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa && head -c 512K /dev/zero > big || exit 1; done`,
    expect: 'stopped',
  },
  {
    name: 'leave a tree that is hard to remove',
    script: () =>
      `for i in {1..3000}; do mkdir d && cd d || break; done; mkdir /workspace/closed && touch /workspace/closed/f && chmod 000 /workspace/closed; true`,
    expect: 'blocked',
  },
  {
    name: 'use memory that no process maps',
    script: () => `for i in 1 2 3 4; do head -c 1G /dev/zero > /dev/shm/$i || exit 1; done`,
    expect: 'stopped',
  },
];

const folder = await mkdtemp(join(tmpdir(), 'spanwise-namespaced-attacks-'));
await chmod(folder, 0o711);
const sandbox = new NamespacedSandbox({ folder });
const isMissing = await sandbox.check(new AbortController().signal).then(
  () => false,
  () => true,
);
const isSkipped = isMissing && process.env['CI'] === undefined;

afterAll(async () => {
  await sandbox[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

describe.skipIf(isSkipped)('a command in a namespace', () => {
  test.each(namespaceAttacks)('can not: $name', { timeout: 30_000 }, async (attack) => {
    await using ground = await AttackGround.prepare();
    const { breaches, exit } = await ground.run(sandbox, attack);
    const isStopped = exit.stoppedBy !== undefined || exit.exitCode !== 0;
    expect({ breaches, isStopped }).toEqual({
      breaches: [],
      isStopped: attack.expect === 'blocked' ? expect.any(Boolean) : true,
    });
  });
});
