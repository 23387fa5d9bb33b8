import { readFileSync } from 'node:fs';
import type { ModelProvider } from '../../src/domain/model/model-provider.ts';
import { type ModelReply, startModelServer } from '../doubles/model-server.ts';
import type { PlayedAdapter } from './wire-contract.ts';

/** Written replies in the format of one provider, by the names of their files in `recordings`. */
export function recordingsIn(folder: string) {
  const text = (name: string) => readFileSync(new URL(`../recordings/${folder}${name}.sse`, import.meta.url), 'utf8');
  const whole = (name: string): ModelReply => ({ body: [text(name)] });
  return {
    text,
    whole,
    wholeOf: (...names: readonly string[]) => Object.fromEntries(names.map((name) => [name, whole(name)])),
  };
}

/** Bytes one by one, so that every character and every line end is cut somewhere. */
export function bytewise(text: string): ModelReply {
  return { body: [...new TextEncoder().encode(text)].map((byte) => Uint8Array.of(byte)) };
}

/** The same with the other line ends. */
export function crlf(text: string): string {
  return text.replaceAll('\n', '\r\n');
}

/** An answer that is no stream. */
export function failing(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): ModelReply {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: [JSON.stringify(body)] };
}

export const pageForPeople: ModelReply = {
  headers: { 'content-type': 'text/html; charset=utf-8' },
  body: ['<html>Sign in</html>'],
};

/** An adapter that asks a server which gives one reply. */
export async function playOver(reply: ModelReply, connect: (url: string) => ModelProvider): Promise<PlayedAdapter> {
  const server = await startModelServer(reply);
  return {
    provider: connect(server.url),
    peer: { asked: () => server.calls.length, closed: async () => server.calls[0]?.closed },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
