import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { stamp } from './model-clock.ts';

// The model of the benchmarks, in a process of its own so that its work is not counted: OpenAI's streaming protocol, with
// the exact number of deltas of a scenario. Each delta of text is the time when it was sent, so that its lag can be read.
// The last user message says what to do: `S1 <deltas> <ms between>` or `S2`.

interface Message {
  readonly role: string;
  readonly content?: string | null;
}

const toolTurns = 5;
/** Another call each turn: the same one again and again would be stopped as a loop. */
const argumentsOf = (turn: number) => `{"path":"/library/README.md","limit":${2000 - turn}}`;

async function answer(messages: readonly Message[], response: ServerResponse): Promise<void> {
  const last = messages.findLastIndex(({ role }) => role === 'user');
  const [scenario, deltas = '50', pauseMs = '0'] = (messages[last]?.content ?? '').split(' ').slice(-3);
  const turn = messages.slice(last).filter(({ role }) => role === 'assistant').length;
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  if (messages[last]?.content?.endsWith('S2') === true && turn < toolTurns) {
    sendCall(response, argumentsOf(turn));
    return;
  }
  const count = scenario === 'S1' ? Number(deltas) : 50;
  const pause = scenario === 'S1' ? Number(pauseMs) : 0;
  for (let sent = 0; sent < count && !response.destroyed; sent += 1) {
    if (pause > 0) {
      await delay(pause);
    }
    send(response, { content: stamp() });
  }
  finish(response, 'stop');
}

function sendCall(response: ServerResponse, toolArguments: string): void {
  const part = Math.ceil(toolArguments.length / 5);
  send(response, {
    tool_calls: [{ index: 0, id: 'call', type: 'function', function: { name: 'read', arguments: '' } }],
  });
  for (let from = 0; from < toolArguments.length; from += part) {
    send(response, { tool_calls: [{ index: 0, function: { arguments: toolArguments.slice(from, from + part) } }] });
  }
  finish(response, 'tool_calls');
}

function send(response: ServerResponse, delta: object, finishReason: string | null = null): void {
  const chunk = {
    id: 'c',
    object: 'chat.completion.chunk',
    model: 'bench',
    choices: [{ index: 0, delta, finish_reason: finishReason }],
  };
  response.write(`data: ${JSON.stringify(chunk)}\n\n`);
}

function finish(response: ServerResponse, reason: string): void {
  send(response, {}, reason);
  const usage = { prompt_tokens: 100, completion_tokens: 50, total_tokens: 150 };
  response.write(
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model: 'bench', choices: [], usage })}\n\n`,
  );
  response.end('data: [DONE]\n\n');
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { messages } = JSON.parse(Buffer.concat(chunks).toString()) as { messages: Message[] };
    answer(messages, response).catch(() => response.destroy());
  });
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1\n`);
});
