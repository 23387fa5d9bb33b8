import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { shippedAgentsDir } from '../src/config.ts';
import { loadYamlAgents } from '../src/infrastructure/agents/yaml-agent-catalog.ts';

const agentText = (name: string, maxTurns = 3) => `name: ${name}
description: Helps.
model: gpt-5-mini
instructions: Help.
limits: { max_turns: ${maxTurns}, timeout_seconds: 60, max_output_tokens: 100 }
`;

describe('the agents of a folder', () => {
  let folder = '';

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spanwise-agents-'));
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  const save = (file: string, text: string) => writeFile(join(folder, file), text);

  it('are found by name and listed by name', async () => {
    await save('1.yaml', agentText('zoe'));
    await save('2.yaml', agentText('adam'));
    await save('notes.txt', 'no agent');
    const agents = await loadYamlAgents({ folder, model: undefined });
    expect(agents.list().map(({ name, model }) => [name, model])).toEqual([
      ['adam', 'gpt-5-mini'],
      ['zoe', 'gpt-5-mini'],
    ]);
    expect(agents.get('zoe').limits.maxTurns).toBe(3);
    expect(() => agents.get('nobody')).toThrow(expect.objectContaining({ reason: 'AGENT_NOT_FOUND' }));
  });

  it('have the model that the operator sets for all', async () => {
    await save('1.yaml', agentText('zoe'));
    const agents = await loadYamlAgents({ folder, model: 'qwen3' });
    expect(agents.get('zoe').model).toBe('qwen3');
  });

  it('are not loaded at all when one is wrong, and every mistake is named with file and line', async () => {
    await save('1.yaml', agentText('zoe'));
    await save('2.yaml', agentText('adam', 0));
    await save('3.yaml', `# another\n${agentText('zoe')}`);
    const failure = await loadYamlAgents({ folder, model: undefined }).catch((error: unknown) => String(error));
    expect(failure).toContain(`${basename(folder)}/2.yaml:5: limits.max_turns: `);
    expect(failure).toContain(`${basename(folder)}/3.yaml:2: name: another file names zoe too`);
  });

  it('may delegate in circles, but only to agents that there are', async () => {
    await save('1.yaml', `${agentText('zoe')}delegates: [adam, zoe]\n`);
    await save('2.yaml', `${agentText('adam')}delegates:\n  - zoe\n`);
    const agents = await loadYamlAgents({ folder, model: undefined });
    expect(agents.list().map(({ delegation }) => delegation.agents)).toEqual([['zoe'], ['adam', 'zoe']]);
    await save('2.yaml', `${agentText('adam')}delegates:\n  - zoe\n  - eve\n`);
    await expect(loadYamlAgents({ folder, model: undefined })).rejects.toMatchObject({
      reason: 'INVALID_FIELD',
      message: `${basename(folder)}/2.yaml:8: delegates: there is no agent "eve"`,
    });
  });

  it('must be there', async () => {
    await expect(loadYamlAgents({ folder, model: undefined })).rejects.toMatchObject({ reason: 'INVALID_FIELD' });
    await expect(loadYamlAgents({ folder: join(folder, 'no'), model: undefined })).rejects.toThrow(
      'There are no agent files',
    );
  });

  it('that are shipped are valid', async () => {
    const agents = await loadYamlAgents({ folder: shippedAgentsDir, model: undefined });
    expect(agents.get('default')).toMatchObject({
      model: 'gpt-5-mini',
      limits: { maxTurns: 25 },
      tools: { allow: 'all', deny: [] },
      instructions: expect.stringContaining('/library'),
    });
  });
});
