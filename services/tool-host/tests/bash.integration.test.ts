import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { ToolHostService } from '@spanwise/contracts/spanwise/tool/v1/tool';
import { silentLogger } from '@spanwise/telemetry';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createToolHostService, type ToolHostRunningService } from '../src/composition-root.ts';
import { FileSystemServer } from './file-system-server.ts';
import { areGone, descendantsOf } from './processes.ts';
import { testConfig } from './test-config.ts';
import { headers } from './tool-host-client.ts';

let fileSystem: FileSystemServer;
let toolHost: ToolHostRunningService;
let client: Client<typeof ToolHostService>;

beforeAll(async () => {
  fileSystem = await new FileSystemServer().start();
  const config = testConfig({ filesystemUrl: fileSystem.url, sandbox: 'virtual' });
  toolHost = await createToolHostService(config, { logger: silentLogger });
  client = createClient(ToolHostService, createGrpcTransport({ baseUrl: toolHost.url }));
});

afterAll(async () => {
  await toolHost[Symbol.asyncDispose]();
  await fileSystem[Symbol.asyncDispose]();
});

function request(command: string, epoch = 1n) {
  return {
    ...{ sessionId: randomUUID(), runId: randomUUID(), callId: randomUUID(), epoch, tool: 'bash' },
    argumentsJson: JSON.stringify({ command }),
    span: { span: { id: 'aaaaaaaaaaaaaaaa', par: '' }, traceId: '1'.repeat(32), traceFlags: 0 },
    policy: { allow: ['bash'] },
  };
}

async function bash(command: string) {
  let text = '';
  let code = '';
  for await (const { result } of client.executeTool(request(command), { headers })) {
    const [content] = result?.content ?? [];
    text = content?.content.case === 'text' ? content.content.value : text;
    code = result?.code ?? code;
  }
  return { text, code };
}

test('lists bash as a tool of the shell that is asked for', async () => {
  const { tools } = await client.listTools({}, { headers });
  expect(tools.map(({ name }) => name)).toContain('bash');
});

test('changes the files of the run as its user, fenced, each change with a key of its own', {
  timeout: 60_000,
}, async () => {
  const { text, code } = await bash('echo one > a; echo two >> a; mkdir d; mv a d/b; cat d/b; ls nowhere');
  expect([text, code]).toEqual(['one\ntwo\nls: nowhere: No such file or directory\n[exit code 2]', 'COMMAND_FAILED']);
  expect(fileSystem.memory.text('/workspace/d/b')).toBe('one\ntwo\n');
  const { changes, received } = fileSystem;
  expect(new Set(changes.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(changes.length);
  expect(changes.every(({ epoch }) => epoch === 1n)).toBe(true);
  const { uid, email, token } = received.at(-1) ?? expect.fail();
  expect({ uid, email, token }).toEqual(headers);
});

test('stops a command of a run that is cancelled, within two seconds and with all that it does', {
  timeout: 60_000,
}, async () => {
  const asked = request('while true; do date >> /workspace/ticks; sleep 0.05; done');
  const cancel = new AbortController();
  const running = (async () => {
    for await (const _ of client.executeTool(asked, { headers, signal: cancel.signal })) {
      // It goes on until it is cancelled.
    }
  })();
  running.catch(() => undefined);
  const ticks = () =>
    fileSystem.memory.find('/workspace/ticks') === undefined ? '' : fileSystem.memory.text('/workspace/ticks');
  while (ticks().length < 100) {
    await sleep(20);
  }
  const before = await descendantsOf(process.pid);
  const begin = performance.now();
  const { stopped } = await client.fence({ sessionId: asked.sessionId, epoch: 1n, stop: true }, { headers });
  const took = performance.now() - begin;
  expect(stopped.map(({ callId }) => callId)).toEqual([asked.callId]);
  expect(took).toBeLessThan(2000);
  const left = ticks();
  await sleep(300);
  expect(ticks()).toBe(left);
  await expect(running).rejects.toThrow(/FENCED|fence|stopped|shut/i);
  expect(before.length).toBeGreaterThan(0);
  await toolHost[Symbol.asyncDispose]();
  expect(await areGone(before, 2000)).toBe(true);
});
