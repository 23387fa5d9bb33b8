import { noPolicy } from '@spanwise/tool-kit/contract';
import { describe, expect, it } from 'vitest';
import type { MemoryTool } from '../../tests/doubles/memory-tool-host.ts';
import {
  delegates,
  delegating,
  helper,
  type Part,
  readTool as read,
  taskOf,
  delegatingWorld as worldOf,
} from '../../tests/doubles/played-agents.ts';
import type { RunWorld, RunWorldOptions } from '../../tests/doubles/run-world.ts';
import { toolOutcome } from '../domain/message/message.ts';
import { asksFor, says } from '../infrastructure/model-providers/scripted/script.ts';

const results = ({ journal }: RunWorld) =>
  journal.said('toolResult').map(({ outcome, content }) => [outcome, content[0]?.content.value]);

describe('the turns of a run', () => {
  const endless: Part = Array.from({ length: 20 }, (_, n) => asksFor({ tool: 'read', argumentsJson: `{"n":${n}}` }));

  it('are shared with the agents that work for it, and the last one is its own', async () => {
    const parts = { default: [delegates('a', 'b'), says('well')], helper: endless };
    const world = worldOf(parts, { dispatch: { maxTurns: 7 } });
    expect(await world.run()).toMatchObject({ ended: 'completed', finish: 'stop' });
    expect(world.dialogues?.requests).toHaveLength(7);
    expect(results(world).filter(([outcome]) => outcome === toolOutcome.error)).toEqual([
      [toolOutcome.error, 'The agent ran out of turns before it was done. It had said nothing yet.'],
      [toolOutcome.error, 'The agent ran out of turns before it was done. It had said nothing yet.'],
    ]);
  });

  it('keep one for every agent that waits for others', async () => {
    const world = worldOf(
      {
        default: [delegates('a'), says('done')],
        helper: (task) => (task === 'a' ? [delegates('b'), says('a')] : [...endless]),
      },
      { agents: [{ ...helper, ...delegating(['helper']) }], agent: delegating(['helper']), dispatch: { maxTurns: 6 } },
    );
    expect(await world.run()).toMatchObject({ ended: 'completed', finish: 'stop' });
    expect(world.dialogues?.requests.map(taskOf)).toEqual(['hello', 'a', 'b', 'b', 'a', 'hello']);
  });

  it('count those of dispatches before, in dialogues that are over too', async () => {
    const parts = { default: [delegates('a'), delegates('b'), says('done')], helper: endless };
    const world = worldOf(parts, { dispatch: { maxTurns: 9, turns: 7 } });
    expect(await world.run()).toMatchObject({ ended: 'completed', finish: 'max-turns' });
    expect(world.dialogues?.requests).toHaveLength(2);
  });
});

describe('the tool that delegates', () => {
  const parts = { default: [says('hi')] };
  const offered = async (more: Partial<RunWorldOptions>) => {
    const world = worldOf(parts, more);
    await world.run();
    return world.dialogues?.requests[0]?.tools ?? [];
  };
  const names = async (more: Partial<RunWorldOptions>) => (await offered(more)).map(({ name }) => name);

  it('names the agents with their descriptions, by name', async () => {
    const [tool] = await offered({ agent: delegating(['helper', 'other']) });
    expect(tool).toMatchObject({ name: 'delegate', toolClass: 'delegation' });
    expect(tool?.description.split('\n').slice(-3)).toEqual([
      'The agents:',
      '- helper: Helps.',
      '- other: Is there too.',
    ]);
    expect(tool?.inputSchema).toMatchObject({ properties: { agent: { enum: ['helper', 'other'] } } });
  });

  it('is offered to agents that may delegate, also when they name their tools, unless they deny it', async () => {
    const tools = { allow: ['read'], deny: [], policy: noPolicy };
    expect(await names({ agent: { tools } })).toEqual(['read']);
    expect(await names({ agent: { ...delegating(['helper']), tools } })).toEqual(['delegate', 'read']);
    const denied = { allow: 'all', deny: ['delegate'], policy: noPolicy } as const;
    expect(await names({ agent: { ...delegating(['helper']), tools: denied } })).toEqual(['read', 'write']);
  });

  it('is not offered when the run does not allow it, nor when its driver keeps no threads', async () => {
    expect(await names({ dispatch: { toolsDeny: ['delegate'] } })).toEqual(['read', 'write']);
    expect(await names({ dispatch: { toolsAllow: ['read'] } })).toEqual(['read']);
    expect(await names({ dispatch: { threads: false } })).toEqual(['read', 'write']);
  });

  it('is the runtime’s own, whatever tool-host has of that name', async () => {
    const foreign: MemoryTool = { name: 'delegate', effect: 'read-only', run: () => 'not me' };
    expect(await names({ tools: [read, foreign], agent: {} })).toEqual(['read']);
    const [tool] = await offered({ tools: [read, foreign] });
    expect(tool?.toolClass).toBe('delegation');
  });

  it('gives its agents no tools that the run does not allow', async () => {
    const world = worldOf(
      { default: [delegates('Look.'), says('done')], helper: [says('ok')] },
      {
        dispatch: { toolsDeny: ['write'] },
        agents: [{ ...helper, tools: { allow: ['write', 'read'], deny: [], policy: noPolicy } }],
        agent: delegating(['helper']),
      },
    );
    await world.run();
    expect(world.dialogues?.requests[1]?.tools.map(({ name }) => name)).toEqual(['read']);
  });

  it('holds its agents to what deny or ask those say over whom they come to a task', async () => {
    const rules = (deny: string[], ask: string[] = []) =>
      ({ allow: 'all', deny: [], policy: { allow: ['read'], ask, deny } }) as const;
    const world = worldOf(
      { default: [says('done')] },
      {
        agent: delegating(['helper']),
        agents: [
          { ...helper, ...delegating(['other']), name: 'helper', tools: rules(['bash'], ['write']) },
          { ...helper, ...delegating(['helper']), name: 'other', tools: rules(['read(/secret/*)']) },
        ],
      },
    );
    await world.run();
    const [first] = world.journal.checkpoints;
    const policies = first?.spec?.delegates.map(({ agent }) => [agent.name, agent.policy]);
    expect(policies).toEqual([
      ['helper', { allow: ['read'], ask: ['write'], deny: ['bash', 'read(/secret/*)'] }],
      ['other', { allow: ['read'], ask: ['write'], deny: ['read(/secret/*)', 'bash'] }],
    ]);
  });

  it('is not done for a task that a rule keeps from being delegated', async () => {
    const world = worldOf(
      { default: [delegates('Look.'), says('done')], helper: [says('never')] },
      { agent: delegating(['helper']), dispatch: { policy: { ...noPolicy, ask: ['delegate(helper)'] } } },
    );
    await world.run();
    expect(world.journal.said('toolResult')).toMatchObject([{ code: 'TOOL_DENIED' }]);
    expect(world.dialogues?.requests).toHaveLength(2);
  });
});
