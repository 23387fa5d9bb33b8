import { noPolicy } from '@spanwise/tool-kit/contract';
import { describe, expect, it } from 'vitest';
import { RunWorld } from '../../tests/doubles/run-world.ts';
import { testTool } from '../../tests/doubles/test-tool.ts';
import { defaultDelegation } from '../domain/delegation/delegation.ts';
import { asksFor, says } from '../infrastructure/model-providers/scripted/script.ts';

const never = new Promise<never>(() => undefined);
const read = { name: 'read', effect: 'read-only', run: () => 'read it' } as const;
const write = { name: 'write', effect: 'idempotent', run: () => 'wrote it' } as const;

describe('what a run works with', () => {
  const ask = asksFor({ tool: 'read', argumentsJson: '{}' });
  const question = { name: 'ask_user', effect: 'idempotent', toolClass: 'interaction', run: () => 'yes' } as const;

  it('is sent with its first checkpoint, instructions rendered', async () => {
    const world = new RunWorld({ script: [ask, says('done')], tools: [read, write, question] });
    await world.run();
    expect(world.journal.checkpoints.map(({ spec }) => spec)).toEqual([
      {
        agent: {
          name: 'default',
          description: 'For tests.',
          instructions: 'You are default. Today is 2026-01-01.',
          model: 'test-model',
          limits: { maxTurns: 10, timeoutMs: 600_000, maxOutputTokens: 1000 },
          policy: noPolicy,
          delegation: defaultDelegation,
        },
        tools: [
          testTool({ name: 'ask_user', effect: 'idempotent', toolClass: 'interaction' }),
          testTool({ name: 'read' }),
          testTool({ name: 'write', effect: 'idempotent' }),
        ],
        delegates: [],
      },
      undefined,
      undefined,
    ]);
  });

  it('has all agents that its tasks may get to, each with its own tools, and stays as it was with them too', async () => {
    const delegatesTo = (...agents: readonly string[]) => ({ delegation: { ...defaultDelegation, agents } });
    const agents = [
      { name: 'b', ...delegatesTo('c') },
      {
        name: 'c',
        description: 'Closes the circle.',
        ...delegatesTo('default'),
        tools: { allow: ['read'], deny: [], policy: noPolicy },
      },
      { name: 'stranger' },
    ];
    const world = new RunWorld({ script: [says('done')], tools: [read, write], agent: delegatesTo('b'), agents });
    await world.run();
    const [spec] = world.journal.checkpoints.map((checkpoint) => checkpoint.spec);
    expect(spec?.tools.map(({ name }) => name)).toEqual(['delegate', 'read', 'write']);
    const known = spec?.delegates.map(({ agent, tools }) => [
      agent.name,
      agent.instructions,
      tools.map(({ name }) => name),
    ]);
    expect(known).toEqual([
      ['b', 'You are b. Today is 2026-01-01.', ['delegate', 'read', 'write']],
      ['c', 'You are c. Today is 2026-01-01.', ['delegate', 'read']],
      ['default', 'You are default. Today is 2026-01-01.', ['delegate', 'read', 'write']],
    ]);
    const [delegate] = spec?.delegates[0]?.tools ?? [];
    expect(delegate?.description).toContain('- c: Closes the circle.');
  });

  it('has no tools that talk with the user when nobody is there', async () => {
    const world = new RunWorld({ script: [says('hi')], tools: [read, question], dispatch: { interactive: false } });
    await world.run();
    expect(world.model.requests[0]?.tools.map(({ name }) => name)).toEqual(['read']);
  });

  it('stays as it was in later dispatches, whatever is configured then and whatever day it is', async () => {
    const first = new RunWorld({ script: [{ steps: [{ type: 'pause', until: never }] }], tools: [read, write] });
    first.leave(0);
    expect(await first.start()).toMatchObject({ ended: 'yielded' });
    const spec = {
      agent: {
        name: 'default',
        description: '',
        instructions: 'As it was.',
        model: 'old-model',
        limits: { maxTurns: 1, timeoutMs: 1000, maxOutputTokens: 7 },
        policy: noPolicy,
        delegation: defaultDelegation,
      },
      tools: [testTool({ name: 'write' })],
      delegates: [],
    };
    const again = first.again({ script: [ask], dispatch: { agent: 'gone', toolsAllow: ['read'], spec } });
    const listedBefore = first.toolHost.listed;
    expect(await again.run()).toMatchObject({ ended: 'completed', finish: 'max-turns' });
    expect(again.model.requests).toMatchObject([
      { model: 'old-model', instructions: 'As it was.', tools: [{ name: 'write' }], maxOutputTokens: 7 },
    ]);
    expect(again.toolHost.listed).toBe(listedBefore);
    expect(again.journal.checkpoints.map((checkpoint) => checkpoint.spec)).toEqual([undefined, undefined]);
  });
});
