import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import type { SpanwiseClient } from '@spanwise/client';
import { FileSystemService } from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import type { Run } from '@spanwise/contracts/spanwise/session/v1/session';
import { demoTask, reportPath } from './demo-model.ts';
import { EventPrinter } from './event-printer.ts';
import { spanTree } from './span-tree.ts';

export interface DemoOptions {
  readonly client: SpanwiseClient;
  readonly filesystemUrl: string;
  readonly write: (text: string) => void;
}

/** Performs one run through the public RPC and shows its events live, its spans and what it wrote. True if it completed. */
export async function runDemo({ client, filesystemUrl, write }: DemoOptions): Promise<boolean> {
  const session = await client.createSession('npm start');
  write(`> ${demoTask}\n\n`);
  const printer = new EventPrinter({ write, hasColor: process.stdout.isTTY });
  let run: Run | undefined;
  let isCompleted = false;
  const options = { interactive: false };
  const request = { sessionId: session.id, input: demoTask, options, onRun: (started: Run) => (run = started) };
  for await (const event of client.run(request)) {
    printer.print(event);
    isCompleted = event.data.case === 'runEnd' && event.data.value.outcome === 1;
  }
  if (run === undefined) {
    return false;
  }
  const { spans } = await client.sessions.listSpans({ sessionId: session.id, runId: run.id, pageSize: 200 });
  write(`\nWhat it did, and how long each step took (trace ${run.span?.traceId}):\n\n${spanTree(spans)}\n`);
  const report = await readReport(filesystemUrl, session.uid, run.id);
  write(report === undefined ? '\nIt wrote no report.\n\n' : `\n${reportPath}:\n\n${report}\n`);
  return isCompleted && report !== undefined;
}

async function readReport(baseUrl: string, uid: string, viewId: string): Promise<string | undefined> {
  const files = createClient(FileSystemService, createGrpcTransport({ baseUrl }));
  const { data } = await files
    .read({ viewId, path: reportPath }, { headers: { uid } })
    .catch(() => ({ data: undefined }));
  return data === undefined ? undefined : new TextDecoder().decode(data);
}
