import { describe, expect, it } from 'vitest';
import { parseToolServers } from './tool-server-file.ts';

const variables = { GITHUB_TOKEN: 'secret', REGION: 'eu' };

const fine = `servers:
  - name: github
    kind: mcp-http
    url: https://mcp.example.com/mcp
    auth: {bearer_env: GITHUB_TOKEN}
    effect: {get_*: READ_ONLY, merge: NON_REPEATABLE}
    trust_annotations: true
    tools: {allow: [get_*, merge], deny: [get_secret]}
    default: allow
    timeout_seconds: 90
    output_bytes: 10000
    pin: file
    pinned: {merge: ${'0a'.repeat(32)}}
  - name: files
    kind: mcp-stdio
    command: /usr/bin/files
    args: [--folder, /data]
    env: {MODE: fast, REGION: {from_env: REGION}}
`;

const common = {
  effects: {},
  trustsAnnotations: false,
  tools: { allow: ['*'], deny: [] },
  defaultDecision: 'ask',
  timeoutMs: 60_000,
  outputBytes: 51_200,
  pin: 'first_seen',
  pinned: {},
};

/** What is wrong with a server at an address, of which a line is another one. */
function problemsOf(text: string): string {
  try {
    parseToolServers('tool-servers.yaml', text, variables);
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
}

const http = (...lines: readonly string[]) =>
  ['servers:', '  - name: web', '    kind: mcp-http', ...lines.map((line) => `    ${line}`), ''].join('\n');
const at = (url: string, auth = 'none') => http(`url: ${url}`, `auth: ${auth}`);

describe('a file of tool servers', () => {
  it('says where servers are and what their tools may do', () => {
    expect(parseToolServers('x', fine, variables)).toEqual([
      {
        name: 'github',
        connection: {
          kind: 'mcp-http',
          url: 'https://mcp.example.com/mcp',
          auth: { kind: 'bearer', token: 'secret' },
        },
        effects: { 'get_*': 'READ_ONLY', merge: 'NON_REPEATABLE' },
        trustsAnnotations: true,
        tools: { allow: ['get_*', 'merge'], deny: ['get_secret'] },
        defaultDecision: 'allow',
        timeoutMs: 90_000,
        outputBytes: 10_000,
        pin: 'file',
        pinned: { merge: '0a'.repeat(32) },
      },
      {
        ...common,
        name: 'files',
        connection: {
          kind: 'mcp-stdio',
          command: '/usr/bin/files',
          args: ['--folder', '/data'],
          env: { MODE: 'fast', REGION: 'eu' },
        },
      },
    ]);
  });

  it.each(['', 'servers: []\n', '# nothing\n'])('may have none: %j', (text) => {
    expect(parseToolServers('x', text, {})).toEqual([]);
  });

  it.each(['https://a.example/', 'http://localhost:3000/mcp', 'http://127.0.0.1:3000/', 'http://[::1]:3000/'])(
    'lets the token of the user go to %s',
    (url) => {
      expect(problemsOf(at(url, 'forward_user'))).toBe('');
    },
  );

  it.each([
    ['a typing error in a key', fine.replace('tools:', 'tols:'), 8, 'tols'],
    ['a key that is missing', fine.replace('    command: /usr/bin/files\n', ''), 14, 'command'],
    ['a kind that does not exist', fine.replace('mcp-stdio', 'mcp-magic'), 15, 'kind'],
    ['a name that is none', fine.replace('name: files', 'name: my files'), 14, 'lower-case letters'],
    ['a name with the mark of its tools', fine.replace('name: files', 'name: a__b'), 14, 'lower-case letters'],
    ['a name that comes twice', fine.replace('name: files', 'name: github'), 14, 'called github too'],
    ['an effect that does not exist', fine.replace('READ_ONLY', 'MAYBE'), 6, 'effect'],
    ['a variable that is not set', fine.replace('GITHUB_TOKEN', 'MISSING'), 5, 'MISSING is not set'],
    ['another one that is not set', fine.replace('from_env: REGION', 'from_env: NONE'), 18, 'NONE is not set'],
    ['a figure out of range', fine.replace('90', '0'), 10, 'timeout_seconds'],
    ['a hash that is none', fine.replace('0a'.repeat(32), 'abc'), 13, 'must be a hash'],
    ['a URL that is none', at('somewhere'), 4, 'http or https URL'],
    ['a URL of another kind', at('file:///etc/passwd'), 4, 'http or https URL'],
    ['a user in a URL', at('https://me:secret@a.example/'), 4, 'no user and password'],
    ["a user's token in the clear", at('http://a.example/', 'forward_user'), 4, 'must be https'],
    ['a token in the clear', at('http://127.0.0.1.evil.example/', '{bearer_env: GITHUB_TOKEN}'), 4, 'must be https'],
    ['an auth that is none', at('https://a.example/', 'magic'), 5, 'must be none, forward_user'],
    ['YAML that is none', `${fine}  - [`, 19, ''],
    ['a file that is no map', 'hello', 1, 'file'],
  ])('is refused for %s, with its line', (_, text, line, told) => {
    expect(problemsOf(text)).toMatch(new RegExp(`^tool-servers\\.yaml:${line}: `, 'm'));
    expect(problemsOf(text)).toContain(told);
  });

  it('is refused for everything that is wrong at once', () => {
    const text = fine.replace('GITHUB_TOKEN', 'MISSING').replace('from_env: REGION', 'from_env: NONE');
    expect(problemsOf(text).split('\n')).toHaveLength(2);
  });
});
