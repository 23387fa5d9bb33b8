import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { ProviderAnswer } from './provider-log.ts';
import { type ProviderFault, type RunScript, type ScriptedCall, type ScriptedTurn, turnText } from './run-script.ts';

export interface Answer {
  readonly script: RunScript;
  readonly turn: number;
  readonly played: ScriptedTurn;
  readonly fault: ProviderFault | undefined;
  readonly entry: ProviderAnswer;
}

/** Characters of one delta, when the script does not say. */
const defaultDeltaLength = 4;

/** Streams one turn as server-sent events, delta by delta, and does on the way what its fault says. */
export async function streamAnswer(response: ServerResponse, answer: Answer): Promise<void> {
  const { script, turn, played, fault, entry } = answer;
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const { deltaLength = defaultDeltaLength } = played;
  const points = Array.from(turnText(script.id, turn, played.text ?? 0));
  let bytes = 0;
  for (let from = 0; from < points.length && !gone.signal.aborted; from += deltaLength) {
    if (from >= points.length / 2 && (await misbehave(response, fault, gone.signal))) {
      return;
    }
    const text = points.slice(from, from + deltaLength).join('');
    write(response, { delta: { content: text } });
    bytes += Buffer.byteLength(text);
    entry.sent.push({ bytes, monotonicMs: performance.now() });
    if ((played.delayMs ?? 0) > 0) {
      await delay(played.delayMs, undefined, { signal: gone.signal }).catch(() => undefined);
    }
  }
  if (gone.signal.aborted) {
    return;
  }
  const calls = (played.tools ?? []).flatMap(repeated).map((call, index) => unlikeOthers(call, `${turn}_${index}`));
  calls.forEach((call, index) => writeCall(response, call, index, idOf(script, turn, index, fault)));
  if (fault === 'no-stop') {
    response.end();
    return;
  }
  write(response, { delta: {}, finish_reason: calls.length === 0 ? 'stop' : 'tool_calls' });
  // From here on the client may know how it ended, whatever happens to the rest.
  entry.hasStopped = true;
  const usage = { prompt_tokens: 10, completion_tokens: points.length, total_tokens: 10 + points.length };
  response.write(`data: ${JSON.stringify({ object: 'chat.completion.chunk', choices: [], usage })}\n\n`);
  response.end('data: [DONE]\n\n');
}

/** True when nothing more is to be sent. */
async function misbehave(
  response: ServerResponse,
  fault: ProviderFault | undefined,
  gone: AbortSignal,
): Promise<boolean> {
  switch (fault) {
    case 'stall':
      await new Promise<void>((resolve) => gone.addEventListener('abort', () => resolve(), { once: true }));
      return true;
    case 'cut':
      response.socket?.resetAndDestroy();
      return true;
    case 'garbage':
      response.write('data: {"choices":[{"delta":{"content":\n\n');
      return true;
    default:
      return false;
  }
}

function repeated({ repeat = 1, ...call }: ScriptedCall): readonly ScriptedCall[] {
  return Array.from({ length: repeat }, () => call);
}

/** The tools whose effects are counted; they take a label. */
const labelled = new Set(['effect', 'effect_idempotent', 'effect_read', 'slow', 'stubborn']);

/** A call that is unlike all others of its run: whoever asks for the same three times in a row is stopped. */
function unlikeOthers(call: ScriptedCall, label: string): ScriptedCall {
  return labelled.has(call.name) ? { ...call, arguments: { ...call.arguments, label } } : call;
}

function idOf({ id }: RunScript, turn: number, index: number, fault: ProviderFault | undefined): string {
  return fault === 'duplicate-ids' ? 'call_same' : `call_${id.slice(-8)}_${turn}_${index}`;
}

function writeCall(response: ServerResponse, call: ScriptedCall, index: number, id: string): void {
  const text = JSON.stringify(call.arguments);
  write(response, {
    delta: { tool_calls: [{ index, id, type: 'function', function: { name: call.name, arguments: '' } }] },
  });
  write(response, { delta: { tool_calls: [{ index, function: { arguments: text } }] } });
}

function write(response: ServerResponse, choice: object): void {
  const chunk = { object: 'chat.completion.chunk', model: 'scripted', choices: [{ index: 0, ...choice }] };
  response.write(`data: ${JSON.stringify(chunk)}\n\n`);
}
