import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { streamAnswer } from './answer-stream.ts';
import { readChatRequest } from './chat-request.ts';
import { type ProviderAnswer, ProviderLog } from './provider-log.ts';
import type { ProviderFault, RunScript, ScriptedTurn } from './run-script.ts';

/** A model server that plays the scripts that come with the requests, and may misbehave. */
export interface ScriptedProvider extends AsyncDisposable {
  /** With `/v1`. */
  readonly baseUrl: string;
  readonly log: ProviderLog;
  /** Called for every fault that it really shows. */
  onFault: (fault: ProviderFault, script: string) => void;
  /** Lets go of the connections that callers keep for later: what is then left belongs to something that goes on. */
  closeIdle(): void;
}

/** Serves the chat completions protocol on loopback. The same script always gets the same answers. */
export async function startScriptedProvider(): Promise<ScriptedProvider> {
  const log = new ProviderLog();
  const server = createServer((request, response) => {
    response.on('error', () => undefined);
    void answer(request, response).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 60_000;
  const provider: ScriptedProvider = {
    baseUrl: '',
    log,
    onFault: () => undefined,
    closeIdle: () => server.closeIdleConnections(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { script, turn, faults, heard } = readChatRequest(await bodyOf(request));
    const played = script?.turns[Math.min(turn, script.turns.length - 1)];
    const fault = script === undefined || played === undefined ? undefined : dueFault(script, turn, played);
    const entry = log.begin({
      script: script?.id ?? '',
      turn,
      caller: callerOf(request),
      transcriptFaults: faults,
      heard,
      fault,
    });
    response.on('close', () => {
      entry.isAbandoned = !response.writableFinished;
    });
    if (script === undefined || played === undefined || faults.length > 0) {
      refuse(response, 400, 'invalid_request_error', faults[0] ?? 'the user message has no script');
      return;
    }
    if (fault !== undefined) {
      provider.onFault(fault, script.id);
    }
    await play(response, { script, turn, played, fault, entry });
  }

  function dueFault(script: RunScript, turn: number, played: ScriptedTurn): ProviderFault | undefined {
    const tries = log.tries(script.id, turn);
    return tries < (played.times ?? 1) ? played.fault : undefined;
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(provider, { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` });
}

interface Playing {
  readonly script: RunScript;
  readonly turn: number;
  readonly played: ScriptedTurn;
  readonly fault: ProviderFault | undefined;
  readonly entry: ProviderAnswer;
}

async function play(response: ServerResponse, playing: Playing): Promise<void> {
  switch (playing.fault) {
    case 'rate-limit':
      response.setHeader('retry-after', '1');
      refuse(response, 429, 'rate_limit_error', 'slow down');
      return;
    case 'server-error':
      refuse(response, 500, 'server_error', 'something broke');
      return;
    default:
      await streamAnswer(response, playing);
  }
}

function callerOf(request: IncomingMessage): string {
  return (request.headers.authorization ?? '').replace('Bearer ', '');
}

function refuse(response: ServerResponse, status: number, type: string, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ error: { type, message } }));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString();
}
