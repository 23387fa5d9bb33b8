import { describe, expect, it } from 'vitest';
import type { MemoryTool } from '../../tests/doubles/memory-tool-host.ts';
import { RunWorld } from '../../tests/doubles/run-world.ts';
import { settled } from '../../tests/doubles/virtual-time.ts';
import { toolOutcome } from '../domain/message/message.ts';
import { asksFor, says } from '../infrastructure/model-providers/scripted/script.ts';

/** A tool of each effect, whose first execution goes on until its gate is opened. */
function worldOf(effect: MemoryTool['effect'], calls = 1) {
  const gate = Promise.withResolvers<string>();
  let runs = 0;
  const tool: MemoryTool = {
    name: 'tool',
    effect,
    run: () => {
      runs += 1;
      return runs <= calls ? gate.promise : 'done again';
    },
  };
  const asked = Array.from({ length: calls }, () => ({ tool: 'tool', argumentsJson: '{}' }));
  return { world: new RunWorld({ script: [asksFor(...asked), says('done')], tools: [tool] }), gate };
}

const results = ({ journal }: RunWorld) =>
  journal.said('toolResult').map(({ outcome, content }) => [outcome, content[0]?.content.value]);

describe('a call whose connection to tool-host breaks', () => {
  it.each(['idempotent', 'non-repeatable'] as const)('is waited for when its %s tool goes on', async (effect) => {
    const { world, gate } = worldOf(effect);
    const running = world.run();
    await world.journal.until('spanStart', 3);
    world.toolHost.cut();
    await world.time.advance(130_000);
    expect(results(world)).toEqual([]);
    gate.resolve('done');
    await world.time.advance(1_000);
    expect(await running).toMatchObject({ ended: 'completed' });
    expect(results(world)).toEqual([[toolOutcome.ok, 'done']]);
    expect(world.toolHost.log).toEqual(['begin tool', 'find tool', 'find tool', 'find tool', 'end tool']);
  });

  it('is executed again when its tool only reads', async () => {
    const { world } = worldOf('read-only');
    const running = world.run();
    await world.journal.until('spanStart', 3);
    world.toolHost.cut();
    await world.time.advance(1_000);
    expect(await running).toMatchObject({ ended: 'completed' });
    expect(results(world)).toEqual([[toolOutcome.ok, 'done again']]);
    expect(world.toolHost.log).not.toContain('find tool');
  });

  it('ends the spans of the execution that is not heard any more as abandoned', async () => {
    const { world } = worldOf('read-only');
    const running = world.run();
    await world.journal.until('spanStart', 3);
    world.toolHost.cut();
    await world.time.advance(1_000);
    await running;
    expect(world.journal.said('spanEnd').filter(({ status }) => status === 4)).toHaveLength(1);
  });
});

describe('a call whose tool-host is restarted', () => {
  it.each([
    ['read-only', toolOutcome.ok, 'done again', 2],
    ['idempotent', toolOutcome.ok, 'done again', 2],
    ['non-repeatable', toolOutcome.unknown, expect.stringContaining('look before you repeat it'), 1],
  ] as const)('that is %s is repeated only if it may be', async (effect, outcome, text, executions) => {
    const { world } = worldOf(effect);
    const running = world.run();
    await world.journal.until('spanStart', 3);
    world.toolHost.crash();
    await world.time.advance(5_000);
    expect(results(world)).toEqual([]);
    world.toolHost.isAway = false;
    await world.time.advance(2_000);
    expect(await running).toMatchObject({ ended: 'completed' });
    expect(results(world)).toEqual([[outcome, text]]);
    expect(world.toolHost.log.filter((line) => line === 'begin tool')).toHaveLength(executions);
  });

  it('is not known to have run when tool-host stays away for half a minute', async () => {
    const { world } = worldOf('idempotent');
    const running = world.run();
    await world.journal.until('spanStart', 3);
    world.toolHost.crash();
    await world.time.advance(29_999);
    expect(results(world)).toEqual([]);
    await world.time.advance(2_000);
    expect(await running).toMatchObject({ ended: 'completed' });
    expect(results(world)).toEqual([[toolOutcome.unknown, expect.any(String)]]);
  });

  it('is begun once tool-host is back when it never reached it', async () => {
    const { world, gate } = worldOf('non-repeatable');
    world.toolHost.isAway = true;
    const running = world.run();
    await world.time.advance(20_000);
    world.toolHost.isAway = false;
    gate.resolve('done');
    await world.time.advance(2_000);
    expect(await running).toMatchObject({ ended: 'completed' });
    expect(results(world)).toEqual([[toolOutcome.ok, 'done']]);
    expect(world.toolHost.log).toEqual(['begin tool', 'end tool']);
  });

  it('is given up at once when the run is cancelled', async () => {
    const { world } = worldOf('non-repeatable');
    world.toolHost.isAway = true;
    const running = world.run();
    await world.time.advance(5_000);
    world.cancel();
    expect(await running).toMatchObject({ ended: 'aborted' });
    expect(results(world)).toMatchObject([[toolOutcome.cancelled, expect.any(String)]]);
  });

  it('is waited for no longer than the run may take', async () => {
    const { world } = worldOf('non-repeatable');
    const running = world.run();
    await world.journal.until('spanStart', 3);
    world.toolHost.cut();
    await world.time.advance(600_000);
    expect(await running).toMatchObject({ ended: 'failed', error: { reason: 'RUN_DEADLINE_EXCEEDED' } });
    expect(results(world)).toMatchObject([[toolOutcome.cancelled, expect.any(String)]]);
  });
});

describe('a call of a dispatch whose run was taken over', () => {
  it('ends the dispatch: nothing is invented for it, and what goes on beside it is stopped', async () => {
    const { world } = worldOf('read-only', 2);
    world.toolHost.beforeExecute = ({ call }) => {
      if (world.toolHost.executions[0]?.call.callId !== call.callId) {
        world.toolHost.fence = 2n;
      }
    };
    const running = world.run();
    await world.journal.until('spanStart', 4);
    world.toolHost.cut();
    await world.time.advance(1_000);
    expect(await running).toMatchObject({ ended: 'fenced', error: { kind: 'aborted', reason: 'FENCED' } });
    expect(results(world)).toEqual([]);
    expect(world.journal.checkpoints).toHaveLength(1);
  });

  it('ends it also when it is only looked for', async () => {
    const { world } = worldOf('non-repeatable');
    const running = world.run();
    await world.journal.until('spanStart', 3);
    world.toolHost.fence = 2n;
    world.toolHost.cut();
    await world.time.advance(1_000);
    expect(await running).toMatchObject({ ended: 'fenced' });
    await settled();
    expect(results(world)).toEqual([]);
  });
});
