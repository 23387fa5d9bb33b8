import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ModelMessage } from '@spanwise/testing';
import { type Plan, readPlan, type Turn, textOfTurn } from './plan.ts';

/** Parts of an answer before which the model stops until it is let go on. */
export const gatesPerTurn = 2;

/** Characters of a delta. */
const deltaLength = 150;

/**
 * A model server of the OpenAI protocol whose answers stop at gates: before the first byte, and in the middle. So runs are
 * in states that a test knows. What it answers is written in the last message of the user: a {@link Plan}.
 */
export class HeldModel implements AsyncDisposable {
  /** Rules of strict providers that requests have broken; a test expects none. */
  readonly violations: string[] = [];
  readonly #permits = new Map<string, number>();
  readonly #held = new Map<string, Set<() => void>>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<HeldModel> {
    const model = new HeldModel();
    await new Promise<void>((resolve) => model.#server.listen(0, '127.0.0.1', resolve));
    return model;
  }

  /** With its version, as clients of the protocol want it. */
  get baseUrl(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  /** Lets the run go through so many gates, now or when it comes to them. */
  release(tag: string, gates: number): void {
    this.#permits.set(tag, (this.#permits.get(tag) ?? 0) + gates);
    for (const look of this.#held.get(tag) ?? []) {
      look();
    }
  }

  /** Whether the model is at a gate for this run. */
  holds(tag: string): boolean {
    return (this.#held.get(tag)?.size ?? 0) > 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const left = new AbortController();
    response.once('close', () => left.abort());
    const bytes = await Array.fromAsync<Buffer>(request);
    const { messages } = JSON.parse(Buffer.concat(bytes).toString()) as { readonly messages: readonly ModelMessage[] };
    this.violations.push(...brokenRules(messages));
    const { plan, turn, index } = turnOf(messages);
    const [first = [], second = []] = chunksOf(plan, turn, index);
    if (!(await this.#gate(plan.tag, left.signal))) {
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    first.forEach((chunk) => response.write(chunk));
    if (!(await this.#gate(plan.tag, left.signal))) {
      return;
    }
    second.forEach((chunk) => response.write(chunk));
    response.end('data: [DONE]\n\n');
  }

  /** True when the run was let through; false when its caller left first. */
  async #gate(tag: string, left: AbortSignal): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const look = () => {
      const permits = this.#permits.get(tag) ?? 0;
      if (left.aborted || permits > 0) {
        this.#held.get(tag)?.delete(look);
        if (!left.aborted) {
          this.#permits.set(tag, permits - 1);
        }
        resolve(!left.aborted);
      }
    };
    this.#held.set(tag, (this.#held.get(tag) ?? new Set()).add(look));
    left.addEventListener('abort', look);
    look();
    return promise;
  }
}

function turnOf(messages: readonly ModelMessage[]): {
  readonly plan: Plan;
  readonly turn: Turn | undefined;
  readonly index: number;
} {
  const last = messages.findLastIndex(({ role }) => role === 'user');
  const plan = readPlan(JSON.stringify(messages[last]?.content));
  const index = messages.slice(last).filter(({ role }) => role === 'assistant').length;
  return { plan, turn: plan.turns[index], index };
}

/** The two halves of an answer, each as the chunks that it is streamed in. */
function chunksOf(plan: Plan, turn: Turn | undefined, index: number): readonly (readonly string[])[] {
  const text = Array.from(textOfTurn(plan.tag, index));
  const middle = Math.ceil(text.length / 2);
  const deltas = (part: readonly string[]) =>
    Array.from({ length: Math.ceil(part.length / deltaLength) }, (_, n) => ({
      content: part.slice(n * deltaLength, (n + 1) * deltaLength).join(''),
    }));
  const calls = callsOf(plan.tag, turn).flatMap(({ name, input }, number) => {
    const json = JSON.stringify(input);
    const id = `${plan.tag}-${index}-${number}`;
    const cut = Math.floor(json.length / 2);
    return [
      { tool_calls: [{ index: number, id, type: 'function', function: { name, arguments: json.slice(0, cut) } }] },
      { tool_calls: [{ index: number, function: { arguments: json.slice(cut) } }] },
    ];
  });
  const end = chunk({}, calls.length === 0 ? 'stop' : 'tool_calls');
  return [
    deltas(text.slice(0, middle)).map((delta) => chunk(delta)),
    [...[...deltas(text.slice(middle)), ...calls].map((delta) => chunk(delta)), end],
  ];
}

function callsOf(tag: string, turn: Turn | undefined): readonly { readonly name: string; readonly input: unknown }[] {
  const ask = (question: string) => ({ name: 'ask_user', input: { questions: [{ question }] } });
  const write = { name: 'write', input: { path: `/workspace/${tag}.txt`, content: 'kept' } };
  const list = { name: 'ls', input: { path: '/workspace' } };
  switch (turn) {
    case 'ask':
      return [ask('Which?')];
    case 'ask-two':
      return [ask('Which?'), ask('When?')];
    case 'write':
      return [write];
    case 'list-and-ask':
      return [list, ask('Which?')];
    case undefined:
      return [];
  }
}

function chunk(delta: Readonly<Record<string, unknown>>, finish_reason: string | null = null): string {
  const choices = [{ index: 0, delta, finish_reason }];
  return `data: ${JSON.stringify({ object: 'chat.completion.chunk', choices })}\n\n`;
}

/** Every call is answered once, right after the message that asks for it, and nothing else is. */
function brokenRules(messages: readonly ModelMessage[]): readonly string[] {
  let open = new Set<string>();
  const broken: string[] = [];
  for (const { role, tool_call_id: answered = '', tool_calls: calls = [] } of messages) {
    if (role === 'tool') {
      if (!open.delete(answered)) {
        broken.push(`${answered} is answered, and is not open`);
      }
      continue;
    }
    broken.push(...[...open].map((id) => `${id} is not answered before the next message`));
    open = new Set(calls.map(({ id }) => id));
  }
  return [...broken, ...[...open].map((id) => `${id} is not answered`)];
}
