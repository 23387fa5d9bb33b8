import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, createClient } from '@connectrpc/connect';
import { SpanwiseClient } from '@spanwise/client';
import { ErrorReason } from '@spanwise/contracts/spanwise/error/v1/error';
import type { AgentEvent } from '@spanwise/contracts/spanwise/event/v1/event';
import {
  CommitResult,
  FileKind,
  FileSystemService,
  LayerState,
} from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import { BusyPolicy, OnCancel } from '@spanwise/contracts/spanwise/session/v1/session';
import { type EmbeddedStack, startEmbeddedStack } from '@spanwise/dev-stack';
import { brandId, randomIds, type Uid } from '@spanwise/kernel';
import { callOptions, createInternalTransport, toDomainError } from '@spanwise/service-kit';
import { Telemetry } from '@spanwise/telemetry';
import { type ModelReply, type ModelRequest, type ScriptedModel, startScriptedModel } from '@spanwise/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { follow } from './follow.ts';
import { longText, testModel } from './scripts.ts';

const ids = randomIds();
const dataDir = mkdtempSync(join(tmpdir(), 'spanwise-run-files-'));
const telemetry = new Telemetry({ service: 'test', env: {} });
let model: ScriptedModel;
let stack: EmbeddedStack;
let client: SpanwiseClient;
let files: Client<typeof FileSystemService>;

/** `work <path>` writes a file and then talks for about two seconds. */
function workingModel(request: ModelRequest): ModelReply {
  const turn = request.messages.slice(request.messages.findLastIndex(({ role }) => role === 'user'));
  const [, path] = /^work (\S+)$/.exec(typeof turn[0]?.content === 'string' ? turn[0].content : '') ?? [];
  if (path === undefined) {
    return testModel(request);
  }
  const input = JSON.stringify({ path, content: 'by the run' });
  return turn.length === 1 ? { toolCalls: [{ tool: 'write', input }] } : { text: longText };
}

beforeAll(async () => {
  model = await startScriptedModel(workingModel, { deltaMs: 5 });
  const env = { SPANWISE_MODEL_BASE_URL: model.baseUrl, OPENAI_API_KEY: 'none', SPANWISE_LOG_LEVEL: 'error' };
  stack = await startEmbeddedStack({ dataDir, env });
  client = new SpanwiseClient({ baseUrl: stack.urls.session, uid: 'alice' });
  files = createClient(FileSystemService, createInternalTransport({ baseUrl: stack.urls.filesystem, telemetry }));
});
afterAll(async () => {
  await stack[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
  await telemetry[Symbol.asyncDispose]();
  rmSync(dataDir, { recursive: true, force: true });
});

const as = (uid: string) => callOptions({ identity: { uid: brandId<Uid>(uid), email: '', token: '' } });

/** A client's own view of a session's files, outside of runs. */
async function ownView(sessionId: string) {
  const viewId = ids.uuid();
  await files.openView({ viewId, sessionId }, as('alice'));
  return {
    put: (path: string, text: string) =>
      files.write({ viewId, path, data: new TextEncoder().encode(text) }, as('alice')),
    /** Digest of all paths and contents. */
    digest: async () => {
      const hash = createHash('sha256');
      const walk = async (path: string): Promise<void> => {
        const { entries } = await files.list({ viewId, path, pageSize: 1000 }, as('alice'));
        for (const entry of entries) {
          hash.update(`${entry.path} ${entry.etag}\n`);
          if (entry.kind === FileKind.DIRECTORY) {
            await walk(entry.path);
          }
        }
      };
      await walk('/workspace');
      return hash.digest('hex');
    },
    text: async (path: string) => new TextDecoder().decode((await files.read({ viewId, path }, as('alice'))).data),
  };
}

/** What the model is shown of a session, but for times. */
async function contextOf(sessionId: string) {
  const { messages } = await client.sessions.listMessages({ sessionId, pageSize: 200 });
  return messages.map(({ id, seq, role, parts }) => JSON.stringify([id, String(seq), role, parts]));
}

function terminal(events: readonly AgentEvent[]) {
  return events
    .map(({ data }) => data.case)
    .filter((kind) => ['runEnd', 'runError', 'runRolledBack'].includes(kind ?? ''));
}

async function reasonOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'it did not fail',
    (error: unknown) => toDomainError(error).reason,
  );
}

test('tells what a run has published right before its end', async () => {
  const session = await client.createSession();
  const { events, done } = follow(client, session.id, 'call write {"path":"report.md","content":"# Report"}');
  await done;
  const outputs = events.flatMap(({ data }) => (data.case === 'outputFile' ? [data.value] : []));
  expect(outputs).toMatchObject([{ path: '/workspace/report.md', size: 8n, mediaType: 'text/markdown' }]);
  expect(events.slice(-2).map(({ data }) => data.case)).toEqual(['outputFile', 'runEnd']);
  expect(await (await ownView(session.id)).text('/workspace/report.md')).toBe('# Report');
  const others = files.describeView({ viewId: events[0]?.runId ?? '' }, as('mallory'));
  expect(await reasonOf(others)).toBe('VIEW_NOT_FOUND');
});

test('takes back what a run has done to files and context, and goes on as if it had never been', async () => {
  const session = await client.createSession();
  await follow(client, session.id, 'call write {"path":"kept.txt","content":"kept"}').done;
  const view = await ownView(session.id);
  const [filesBefore, contextBefore] = [await view.digest(), await contextOf(session.id)];

  const undone = follow(client, session.id, 'work kept.txt');
  await undone.saw('toolResult');
  await undone.saw('textStart');
  expect(await view.digest()).toBe(filesBefore);
  const next: AgentEvent[] = [];
  const request = { sessionId: session.id, input: 'hello', busyPolicy: BusyPolicy.ROLLBACK };
  const nextRun = (async () => {
    for await (const event of client.run(request)) {
      next.push(event);
      if (event.data.case === 'runStart') {
        expect(await view.digest()).toBe(filesBefore);
      }
    }
  })();
  await undone.done;
  expect(terminal(undone.events)).toEqual(['runRolledBack', 'runEnd']);
  const takenBack = undone.events.find(({ data }) => data.case === 'runRolledBack')?.data.value;
  expect(takenBack).toMatchObject({ fileChanges: 1, filesPublished: false });
  await nextRun;
  expect(terminal(next)).toEqual(['runEnd']);
  expect(await view.digest()).toBe(filesBefore);
  const context = await contextOf(session.id);
  expect(context.slice(0, contextBefore.length)).toEqual(contextBefore);
  expect(context.length).toBe(contextBefore.length + 2);
  expect(JSON.stringify(model.requests.at(-1))).not.toContain('work kept.txt');
});

test('ends with a conflict when somebody else has changed the same file, and keeps what it wrote', async () => {
  const session = await client.createSession();
  const view = await ownView(session.id);
  await view.put('/workspace/shared.txt', 'first');
  const run = follow(client, session.id, 'work /workspace/other.txt');
  await run.saw('toolResult');
  await view.put('/workspace/other.txt', 'by the client');
  await run.done;
  expect(terminal(run.events)).toEqual(['runError']);
  expect(run.events.at(-1)?.data.value).toMatchObject({ error: { reason: ErrorReason.PUBLISH_CONFLICT } });
  expect(await view.text('/workspace/other.txt')).toBe('by the client');
  const { id: viewId } = await run.run;
  const { state, changes } = await files.diffRun({ viewId }, as('alice'));
  expect([state, changes.map(({ path }) => path)]).toEqual([LayerState.CONFLICT, ['/workspace/other.txt']]);
  expect(await reasonOf(files.commitRun({ viewId, overwrite: true }, as('mallory')))).toBe('VIEW_NOT_FOUND');
  const { result } = await files.commitRun({ viewId, overwrite: true }, as('alice'));
  expect(result).toBe(CommitResult.PUBLISHED);
  expect(await view.text('/workspace/other.txt')).toBe('by the run');
});

test.each([
  [OnCancel.KEEP, 'by the run'],
  [OnCancel.DROP, 'FILE_NOT_FOUND'],
])('what a cancelled run wrote is kept unless it was told otherwise: %j', async (onCancel, expected) => {
  const session = await client.createSession();
  const view = await ownView(session.id);
  const events: AgentEvent[] = [];
  const run = client.run({ sessionId: session.id, input: 'work /workspace/x.txt', options: { onCancel } });
  for await (const event of run) {
    events.push(event);
    if (event.data.case === 'toolResult') {
      await client.sessions.cancelRun({ sessionId: session.id });
    }
  }
  expect(terminal(events)).toEqual(['runEnd']);
  const found = view.text('/workspace/x.txt').catch((error: unknown) => toDomainError(error).reason);
  expect(await found).toBe(expected);
});
