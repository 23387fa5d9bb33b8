import { type ChatCompletionRequest, type ChatMessage, LLMock } from '@copilotkit/aimock';
import { transcriptViolation } from './transcript-rules.ts';

/** What a script is shown: the request as the OpenAI protocol has it. */
export type ModelRequest = ChatCompletionRequest;
export type ModelMessage = ChatMessage;

/** What a scripted model answers. */
export interface ModelReply {
  readonly text?: string;
  readonly reasoning?: string;
  readonly toolCalls?: readonly { readonly tool: string; readonly input: unknown }[];
}

/** Plays the model: gets the whole transcript each time, as a model does. Throwing answers a server error. */
export type ModelScript = (request: ModelRequest) => ModelReply | Promise<ModelReply>;

export interface ScriptedModelOptions {
  /** 0 (default) = any free loopback port. */
  readonly port?: number;
  /** Characters of a delta; default 4. */
  readonly chunkSize?: number;
  /** Milliseconds between deltas; default 0. */
  readonly deltaMs?: number;
}

export interface ScriptedModel extends AsyncDisposable {
  /** Base URL for OpenAI-compatible clients, with `/v1`. */
  readonly baseUrl: string;
  /** Every request so far. */
  readonly requests: readonly ModelRequest[];
  /** Rules of providers that requests have broken; a test expects none. */
  readonly violations: readonly string[];
}

/**
 * A model server that speaks the OpenAI protocol on loopback and answers by a script. It checks on every request that the
 * transcript follows the rules of strict providers, and refuses one that does not.
 */
export async function startScriptedModel(
  script: ModelScript,
  options: ScriptedModelOptions = {},
): Promise<ScriptedModel> {
  const { port = 0, chunkSize = 4, deltaMs = 0 } = options;
  const requests: ModelRequest[] = [];
  const violations: string[] = [];
  const server = new LLMock({
    port,
    host: '127.0.0.1',
    strict: true,
    chunkSize,
    latency: deltaMs,
    journalMaxEntries: 1,
  });
  server.on({}, async (request) => {
    requests.push(request);
    const violation = transcriptViolation(request.messages);
    if (violation !== undefined) {
      violations.push(violation);
      return { error: { message: violation, type: 'invalid_request_error' }, status: 400 };
    }
    return responseOf(await script(request));
  });
  await server.start();
  return {
    baseUrl: `${server.url}/v1`,
    requests,
    violations,
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

function responseOf({ text = '', reasoning, toolCalls = [] }: ModelReply) {
  const calls = toolCalls.map(({ tool, input }) => ({
    name: tool,
    arguments: typeof input === 'string' ? input : JSON.stringify(input),
  }));
  const thought = reasoning === undefined ? {} : { reasoning };
  if (calls.length === 0) {
    return { content: text, ...thought };
  }
  return text === '' ? { toolCalls: calls, ...thought } : { content: text, toolCalls: calls, ...thought };
}
