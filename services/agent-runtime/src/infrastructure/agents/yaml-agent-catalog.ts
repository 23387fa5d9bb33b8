import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DomainError, excerpt } from '@spanwise/kernel';
import type { Agent, AgentCatalog } from '../../domain/agent/agent.ts';
import { agentNotFound } from '../../domain/agent/agent-errors.ts';
import { type AgentFileProblem, parseAgentFile } from './agent-file.ts';

export interface YamlAgentsOptions {
  /** Folder whose `*.yaml` files are read. */
  readonly folder: string;
  /** Model of all agents, whatever their files say; undefined = as they say. */
  readonly model: string | undefined;
}

/**
 * Reads all agents of a folder, once. Throws INVALID_FIELD that names file and line of everything that is wrong: either
 * all agents are loaded or none.
 */
export async function loadYamlAgents({ folder, model }: YamlAgentsOptions): Promise<AgentCatalog> {
  const files = await agentFiles(folder);
  const agents = new Map<string, Agent>();
  const problems: AgentFileProblem[] = [];
  const delegates: (AgentFileProblem & { readonly name: string })[] = [];
  for (const path of files) {
    const file = join(basename(folder), basename(path));
    const content = parseAgentFile(file, await readFile(path, 'utf8'));
    if (!content.isValid) {
      problems.push(...content.problems);
    } else if (agents.has(content.agent.name)) {
      problems.push({ file, line: content.nameLine, problem: `name: another file names ${content.agent.name} too` });
    } else {
      delegates.push(...content.delegates.map((each) => ({ file, ...each, problem: unknownDelegate(each.name) })));
      agents.set(content.agent.name, model === undefined ? content.agent : { ...content.agent, model });
    }
  }
  if (problems.length === 0) {
    // Whether a file that can not be read has them is not known.
    problems.push(...delegates.filter(({ name }) => !agents.has(name)));
  }
  if (problems.length > 0 || agents.size === 0) {
    throw badAgents(folder, problems);
  }
  const sorted = [...agents.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return {
    list: () => sorted,
    get(name) {
      const agent = agents.get(name);
      if (agent === undefined) {
        throw agentNotFound(name);
      }
      return agent;
    },
  };
}

async function agentFiles(folder: string): Promise<readonly string[]> {
  try {
    const names = await readdir(folder);
    return names
      .filter((name) => name.endsWith('.yaml'))
      .toSorted()
      .map((name) => join(folder, name));
  } catch (error) {
    throw badAgents(folder, [], error);
  }
}

function unknownDelegate(name: string): string {
  return `delegates: there is no agent ${excerpt(name)}`;
}

/** The agents can not be loaded. The operator corrects the files. */
function badAgents(folder: string, problems: readonly AgentFileProblem[], cause?: unknown): DomainError {
  const lines = problems.map(({ file, line, problem }) => `${file}:${line}: ${problem}`);
  const what = lines.length === 0 ? `There are no agent files in ${folder}.` : lines.join('\n');
  return new DomainError('invalid', 'INVALID_FIELD', what, { cause });
}
