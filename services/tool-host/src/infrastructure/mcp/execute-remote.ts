import {
  type CallToolResult,
  type ElicitRequest,
  type ElicitResult,
  isCallToolResult,
  isInputRequiredResult,
} from '@modelcontextprotocol/client';
import type { Clock } from '@spanwise/kernel';
import { formatTraceparent } from '@spanwise/telemetry';
import type { ToolContext, ToolOutput, ToolSuspension } from '@spanwise/tool-kit/contract';
import { AskedCall, maxRequestStateLength, maxRounds } from './asked-call.ts';
import type { CallTurns } from './call-turns.ts';
import { errorFacts } from './error-facts.ts';
import type { ListedTool } from './listed-tool.ts';
import type { McpConnection, RemoteContinuation } from './mcp-connection.ts';
import { answerUnusable, asksTooMuch } from './mcp-errors.ts';
import { ask, type Form, readForm } from './question.ts';
import { type FailedCall, readFailure } from './remote-failure.ts';
import type { RemoteQuestions } from './remote-questions.ts';
import { toToolOutput } from './remote-result.ts';
import type { SchemaCompiler } from './remote-schema.ts';
import { remoteLine } from './remote-text.ts';

export interface ExecuteRemoteDeps {
  readonly server: string;
  readonly sendsUserToken: boolean;
  readonly questions: RemoteQuestions;
  readonly compiler: SchemaCompiler;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly turns: CallTurns;
  /** A connection for the user of a call. Throws TOOL_UNAVAILABLE. */
  readonly connect: (context: ToolContext) => Promise<McpConnection>;
  /** Told of a connection that is of no use any more. */
  readonly drop: (connection: McpConnection) => void;
}

/** A call on its way. */
interface Sent {
  readonly deps: ExecuteRemoteDeps;
  readonly tool: ListedTool;
  readonly input: unknown;
  readonly context: ToolContext;
  readonly asked: AskedCall;
}

/** What the SDK is given beyond what is left of the call's time: our own signal ends it first. */
const spareMs = 5000;
const progressEveryMs = 100;
/** How often a server may want to be asked again at once. */
const maxRetries = 5;
const retryMs = 200;

/**
 * Calls a tool of a server: sends it, and makes of the answer what the model is shown, or of a question of the server what the
 * user is asked. It is sent once; a second time only when the server has refused it without looking, because it no longer
 * knows the session. Throws what {@link readFailure} says, and the reason of the call's signal.
 */
export async function executeRemote(
  deps: ExecuteRemoteDeps,
  tool: ListedTool,
  input: unknown,
  context: ToolContext,
): Promise<ToolOutput | ToolSuspension> {
  const asked = await AskedCall.of(deps, context);
  const sent = { deps, tool, input, context, asked };
  const outcome = await deps.turns.take(() => attempt(sent, true));
  if (!('suspend' in outcome)) {
    await asked.forget();
  }
  return outcome;
}

async function attempt(sent: Sent, mayTryAgain: boolean): Promise<ToolOutput | ToolSuspension> {
  const { deps, tool, context } = sent;
  context.signal.throwIfAborted();
  const connection = await deps.connect(context);
  try {
    return await converse(sent, connection);
  } catch (error) {
    // The SDK has one error for a timeout and for a call that was stopped: our signal knows which, and why.
    context.signal.throwIfAborted();
    const { server, sendsUserToken } = deps;
    const call: FailedCall = { server, sendsUserToken, effect: tool.effect, timeoutMs: tool.timeoutMs };
    const failure = readFailure(call, error);
    context.log.info({ server, reason: failure.error.reason, ...errorFacts(error) }, 'mcp call failed');
    if (failure.type === 'session-gone') {
      deps.drop(connection);
      if (mayTryAgain) {
        return attempt(sent, false);
      }
    } else if (failure.isAway) {
      deps.drop(connection);
    }
    throw failure.error;
  }
}

/** What the server has asked midway, and that it is to be asked of the user. */
class Asks {
  readonly form: Form;

  constructor(form: Form) {
    this.form = form;
  }
}

async function converse(sent: Sent, connection: McpConnection): Promise<ToolOutput | ToolSuspension> {
  const { deps, tool, context, asked } = sent;
  let { continuation } = asked;
  for (let retries = 0; retries <= maxRetries; retries += 1) {
    const answer = await send(sent, connection, continuation);
    if (answer instanceof Asks) {
      return suspend(sent, [answer.form], { isContinued: false });
    }
    if (!isInputRequiredResult(answer)) {
      if (!isCallToolResult(answer)) {
        throw answerUnusable(deps.server, 'it is not what was asked for');
      }
      return toToolOutput(answer satisfies CallToolResult, tool.output);
    }
    const { inputRequests = {}, requestState } = answer;
    if ((requestState?.length ?? 0) > maxRequestStateLength) {
      throw asksTooMuch(deps.server, 'a state that is too large');
    }
    const state = requestState === undefined ? {} : { requestState };
    const forms = Object.entries(inputRequests).map(([key, request]) => formOf(deps, key, request));
    if (forms.length > 0) {
      return suspend(sent, forms, { isContinued: true, ...state });
    }
    // It wants to be asked again, and nothing else.
    continuation = state;
    await delay(retryMs, context.signal);
  }
  throw asksTooMuch(deps.server, 'the same again and again');
}

function formOf({ server, compiler }: ExecuteRemoteDeps, key: string, request: unknown): Form {
  const { method, params } = request as { readonly method: string; readonly params: unknown };
  if (method !== 'elicitation/create') {
    throw asksTooMuch(server, `${remoteLine(method, 64)} of this side`);
  }
  return readForm({ server, compiler, key }, params);
}

async function suspend(
  { deps, tool, asked }: Sent,
  forms: readonly Form[],
  state: { readonly isContinued: boolean; readonly requestState?: string },
): Promise<ToolSuspension> {
  const suspension = ask(deps.server, forms);
  if (tool.effect === 'READ_ONLY') {
    throw asksTooMuch(deps.server, 'an answer of the user, for a tool that is said to be READ_ONLY');
  }
  if (asked.rounds >= maxRounds) {
    throw asksTooMuch(deps.server, `more than ${maxRounds} answers of the user`);
  }
  await asked.keep(forms, state);
  return suspension;
}

/** One request, until it is answered, or asks for the user midway: then it is cancelled. */
async function send(sent: Sent, connection: McpConnection, continuation: RemoteContinuation): Promise<unknown> {
  const { deps, tool, input, context, asked } = sent;
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const asks = Promise.withResolvers<Asks>();
  // It may never be waited for.
  asks.promise.catch(() => undefined);
  const told = new Set<string>();
  const elicit = async (params: ElicitRequest['params']): Promise<ElicitResult> => {
    if (signal.aborted) {
      return { action: 'cancel' };
    }
    try {
      const form = readForm({ server: deps.server, compiler: deps.compiler, key: undefined }, params);
      const answer = told.has(form.key) ? undefined : asked.answerTo(form);
      if (answer !== undefined) {
        told.add(form.key);
        return answer;
      }
      asks.resolve(new Asks(form));
    } catch (error) {
      asks.reject(error);
    }
    return { action: 'cancel' };
  };
  const request = {
    ...{ tool: tool.described, input, continuation, elicit },
    timeoutMs: Math.max(context.deadlineMs - deps.clock.nowMs(), 0) + spareMs,
    traceparent: formatTraceparent(context.span),
    onProgress: throttled(context),
  };
  const answer = connection.call(request, signal);
  answer.catch(() => undefined);
  try {
    return await Promise.race([asks.promise, answer]);
  } finally {
    stop.abort('asked, or over');
  }
}

/** A server may tell more than anybody reads: the latest of what it tells within 100 ms is passed over. */
function throttled(context: ToolContext): ToolContext['progress'] {
  let last = Number.NEGATIVE_INFINITY;
  return ({ done, total, message }) => {
    const now = performance.now();
    if (now - last < progressEveryMs || !Number.isFinite(done)) {
      return;
    }
    last = now;
    context.progress({
      done,
      ...(total === undefined || !Number.isFinite(total) ? {} : { total }),
      ...(message === undefined ? {} : { message: remoteLine(message, 200) }),
    });
  };
}

async function delay(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal.addEventListener('abort', abort, { once: true });
  });
}
