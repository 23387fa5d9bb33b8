import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { parseToolServers } from '../../src/infrastructure/servers/tool-server-file.ts';

test('shows a file of servers in the README that can be used', async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const [, text = ''] = /^```yaml\n(servers:[\s\S]*?)^```$/m.exec(readme) ?? [];
  const servers = parseToolServers('README.md', text, { NOTES_API_KEY: 'secret' });
  expect(servers.map(({ name, pin, connection }) => [name, pin, connection.kind])).toEqual([
    ['tracker', 'first_seen', 'mcp-http'],
    ['notes', 'first_seen', 'mcp-stdio'],
  ]);
});
