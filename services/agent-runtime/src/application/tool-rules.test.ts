import { noPolicy } from '@spanwise/tool-kit/contract';
import { describe, expect, it } from 'vitest';
import { RunWorld } from '../../tests/doubles/run-world.ts';
import { asksFor, says } from '../infrastructure/model-providers/scripted/script.ts';

const tools = ['bash', 'read', 'write'].map((name) => ({ name, effect: 'idempotent', run: () => 'done' }) as const);
const ask = asksFor({ tool: 'write', argumentsJson: '{}' });
const agentRules = { ...noPolicy, ask: ['write'], deny: ['write(/locked/*)'] };
const agent = { tools: { allow: 'all', deny: [], policy: agentRules } } as const;

describe('the rules for calls', () => {
  it('are those of the agent and of the dispatch together, and go with every call', async () => {
    const policy = { ...noPolicy, allow: ['write(/a)'], ask: ['write'] };
    const world = new RunWorld({ script: [ask, says('done')], tools, agent, dispatch: { policy } });
    await world.run();
    expect(world.toolHost.executions).toMatchObject([
      { policy: { allow: ['write(/a)'], ask: ['write'], deny: ['write(/locked/*)'] }, isInteractive: true },
    ]);
  });

  it('keep tools from being offered that are refused whatever they touch', async () => {
    const policy = { ...noPolicy, deny: ['ba*', 'read(/secret/*)', 'not a rule'] };
    const world = new RunWorld({ script: [says('hi')], tools, agent, dispatch: { policy } });
    await world.run();
    expect(world.model.requests[0]?.tools.map(({ name }) => name)).toEqual(['read', 'write']);
  });

  it('say so when nobody is there to approve anything', async () => {
    const world = new RunWorld({ script: [ask, says('done')], tools, dispatch: { interactive: false } });
    await world.run();
    expect(world.toolHost.executions).toMatchObject([{ policy: noPolicy, isInteractive: false }]);
  });
});
