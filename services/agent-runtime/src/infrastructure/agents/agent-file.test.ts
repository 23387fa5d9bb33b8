import { noPolicy } from '@spanwise/tool-kit/contract';
import { describe, expect, it } from 'vitest';
import { parseAgentFile } from './agent-file.ts';

const fine = `name: helper
description: Helps.
model: gpt-5-mini
instructions: |
  You are {{agent}}.
limits:
  max_turns: 3
  timeout_seconds: 60
  max_output_tokens: 100
`;
const problemsOf = (text: string) => {
  const content = parseAgentFile('agents/x.yaml', text);
  return content.isValid ? [] : content.problems.map(({ file, line, problem }) => `${file}:${line}: ${problem}`);
};

describe('an agent file', () => {
  it('is an agent that may use all tools unless it says otherwise', () => {
    expect(parseAgentFile('x', fine)).toEqual({
      isValid: true,
      nameLine: 1,
      agent: {
        name: 'helper',
        description: 'Helps.',
        instructions: 'You are {{agent}}.',
        model: 'gpt-5-mini',
        tools: { allow: 'all', deny: [], policy: noPolicy },
        limits: { maxTurns: 3, timeoutMs: 60_000, maxOutputTokens: 100 },
        delegation: { agents: [], maxParallel: 4, maxDepth: 3 },
      },
      delegates: [],
    });
    expect(parseAgentFile('x', `${fine}tools: all\n`)).toMatchObject({ agent: { tools: { allow: 'all', deny: [] } } });
  });

  it('may have rules for calls of its tools', () => {
    const rules = "  rules:\n    ask: ['bash']\n    deny: ['write(/workspace/locked/*)']\n";
    const content = parseAgentFile('x', `${fine}tools:\n${rules}`);
    const policy = { allow: [], ask: ['bash'], deny: ['write(/workspace/locked/*)'] };
    expect(content).toMatchObject({ agent: { tools: { allow: 'all', policy } } });
    expect(parseAgentFile('x', `${fine}tools:\n  rules:\n    deny: ['write(']\n`)).toMatchObject({
      problems: [{ problem: expect.stringContaining('must be the name of a tool, or tool(target)') }],
    });
  });

  it('may list its tools', () => {
    const content = parseAgentFile('x', `${fine}tools:\n  allow: [read, grep]\n  deny: [grep]\n`);
    expect(content).toMatchObject({ agent: { tools: { allow: ['read', 'grep'], deny: ['grep'] } } });
  });

  it('may name the agents that it delegates to, each with its line, and how many and how deep', () => {
    const more = 'delegates:\n  - writer\n  - helper\n  - writer\n';
    const limits = '  max_parallel_delegates: 2\n  max_delegate_depth: 1\n';
    expect(parseAgentFile('x', `${fine}${limits}${more}`)).toMatchObject({
      agent: { delegation: { agents: ['helper', 'writer'], maxParallel: 2, maxDepth: 1 } },
      delegates: [
        { name: 'writer', line: 13 },
        { name: 'helper', line: 14 },
        { name: 'writer', line: 15 },
      ],
    });
  });

  it.each([
    ['a typing error in a key', fine.replace('model:', 'modle:'), 3, 'modle'],
    ['a key that is missing', fine.replace('description: Helps.\n', ''), 1, 'description'],
    ['a figure out of range', fine.replace('max_turns: 3', 'max_turns: 0'), 7, 'limits.max_turns'],
    ['a nested key that is missing', fine.replace('  timeout_seconds: 60\n', ''), 6, 'limits.timeout_seconds'],
    ['a bad name', fine.replace('helper', 'Helper Two'), 1, 'name: must be lower-case letters'],
    [
      'a variable that does not exist',
      fine.replace('{{agent}}', '{{user}}'),
      4,
      'names {{user}}, which is no variable',
    ],
    ['tools that are neither', `${fine}tools: some\n`, 10, 'tools: must be "all"'],
    ['no delegates at all', `${fine}delegates: helper\n`, 10, 'delegates'],
    ['YAML that is none', `${fine}tools: [read\n`, 11, ''],
    ['a file that is no map', 'hello', 1, 'file'],
  ])('is refused for %s, with its line', (_, text, line, problem) => {
    expect(problemsOf(text)).toContainEqual(expect.stringMatching(new RegExp(`^agents/x\\.yaml:${line}: `)));
    expect(problemsOf(text).join()).toContain(problem);
  });

  it('is refused for everything that is wrong at once', () => {
    expect(problemsOf(fine.replace('helper', 'NO').replace('max_turns: 3', 'max_turns: x'))).toHaveLength(2);
  });
});
