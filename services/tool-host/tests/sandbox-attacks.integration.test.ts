import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NamespacedSandbox } from '../src/infrastructure/sandbox/namespaced/namespaced-sandbox.ts';
import type { SandboxExit, SandboxRunner } from '../src/infrastructure/sandbox/sandbox-runner.ts';
import { VirtualSandbox } from '../src/infrastructure/sandbox/virtual/virtual-sandbox.ts';
import { AttackGround } from './sandbox-attack-ground.ts';
import { sandboxAttacks } from './sandbox-attacks.ts';

const levels: readonly { readonly level: string; readonly make: () => SandboxRunner }[] = [
  { level: 'virtual', make: () => new VirtualSandbox() },
  { level: 'namespaced', make: () => new NamespacedSandbox() },
];

/** Undefined: this machine does not have what the level needs. The virtual level every machine has. */
async function available({ level, make }: (typeof levels)[number]): Promise<SandboxRunner | undefined> {
  const sandbox = make();
  try {
    await sandbox.check(new AbortController().signal);
    return sandbox;
  } catch (error) {
    await sandbox[Symbol.asyncDispose]();
    if (level === 'virtual') {
      throw error;
    }
    return undefined;
  }
}

const found = await Promise.all(levels.map(async (each) => ({ ...each, sandbox: await available(each) })));

// Skipped where the machine can not do it, which CI does not accept.
describe.each(found)('the level $level', ({ level, sandbox }) => {
  const outcomes: { readonly name: string; readonly exit: SandboxExit }[] = [];
  let ground: AttackGround;

  beforeAll(async () => {
    ground = await AttackGround.prepare();
  }, 60_000);

  afterAll(async () => {
    await sandbox?.[Symbol.asyncDispose]();
    await ground[Symbol.asyncDispose]();
    if (process.env.SPANWISE_SHOW_ATTACKS !== undefined) {
      const rows = outcomes.map(({ name, exit }) => `${level} | ${name} | ${exit.stoppedBy ?? ''} | ${exit.exitCode}`);
      process.stdout.write(`${rows.join('\n')}\n`);
    }
  });

  const attackTest = sandbox === undefined ? test.skip : test;
  attackTest.each(sandboxAttacks)('withstands: $name', { timeout: 60_000 }, async (attack) => {
    if (sandbox === undefined) {
      throw new TypeError('it was to be skipped');
    }
    const { breaches, result, exit } = await ground.run(sandbox, attack);
    outcomes.push({ name: attack.name, exit });
    const ends = { blocked: exit.stoppedBy === undefined, stopped: result === 'stopped', bounded: true };
    expect({ breaches, exit, isAsExpected: ends[attack.expect] }).toEqual({ breaches: [], exit, isAsExpected: true });
  });

  test('leaves nothing running', async () => {
    expect(await ground.stillRunning()).toEqual([]);
  });
});
