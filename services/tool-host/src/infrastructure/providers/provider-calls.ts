import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@connectrpc/connect';
import type { ProvidedTool, ToolProviderService } from '@spanwise/contracts/spanwise/tool/v1/provider';
import { type Clock, type DomainError, unreachable } from '@spanwise/kernel';
import { callOptions } from '@spanwise/service-kit';
import type { ToolContext, ToolEffect, ToolOutput, ToolSuspension } from '@spanwise/tool-kit/contract';
import { toolLost, toolTimedOut, toolUnavailable } from '../../domain/tool/tool-errors.ts';
import { type CallFailure, failureOf } from './call-failure.ts';
import { toCallRequest, toOutput, toProgress, toSuspension } from './call-mapping.ts';
import { providerBroken, providerMovedOn } from './provider-errors.ts';

export interface ProviderCallsDeps {
  /** Name of the provider. */
  readonly name: string;
  readonly client: Client<typeof ToolProviderService>;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Told when the provider does not serve what it has listed. */
  readonly onStale: () => void;
}

type CallEnd = ToolOutput | ToolSuspension;

/** Pauses between attempts, in milliseconds: about as long as another replica, or the next process, takes to be there. */
const pausesMs = [100, 300, 600, 1000];

/** Calls of a provider's tools over the wire. */
export class ProviderCalls {
  readonly #deps: ProviderCallsDeps;

  constructor(deps: ProviderCallsDeps) {
    this.#deps = deps;
  }

  /**
   * Has a tool executed until the deadline of the call; aborting its signal ends the RPC. What was not begun is tried again
   * for 2 s, and so is what was lost midway, with the same key, unless it may not be repeated.
   *
   * Throws TOOL_UNAVAILABLE, TOOL_CHANGED, INVALID_FIELD, DEADLINE_EXCEEDED, what a bug of the tool or of its provider is, and
   * the reason of the signal.
   */
  async call(listed: ProvidedTool, effect: ToolEffect, input: unknown, context: ToolContext): Promise<CallEnd> {
    for (const pauseMs of [...pausesMs, undefined]) {
      const answer = await this.#attempt(listed, input, context);
      if ('end' in answer) {
        return answer.end;
      }
      const mayRepeat = answer.type === 'not-begun' || (answer.type === 'lost' && effect !== 'NON_REPEATABLE');
      if (!mayRepeat || pauseMs === undefined) {
        throw this.#errorOf(answer, listed, effect, context);
      }
      await delay(pauseMs, undefined, { signal: context.signal }).catch(() => context.signal.throwIfAborted());
    }
    throw providerBroken(this.#deps.name, 'was not asked');
  }

  async #attempt(
    listed: ProvidedTool,
    input: unknown,
    context: ToolContext,
  ): Promise<{ readonly end: CallEnd } | CallFailure> {
    const { client, clock } = this.#deps;
    const { call, span, signal, deadlineMs } = context;
    // No token goes to a provider; what it does for the user it does by their uid.
    const identity = { uid: call.uid, email: '', token: '' };
    const timeoutMs = Math.max(1, Math.ceil(deadlineMs - clock.nowMs()));
    const options = { ...callOptions({ identity, span }, signal), timeoutMs };
    let isStarted = false;
    let end: CallEnd | undefined;
    try {
      for await (const { message } of client.callTool(toCallRequest(listed, input, context), options)) {
        isStarted = true;
        end ??= this.#take(message, context);
      }
    } catch (error) {
      signal.throwIfAborted();
      // What comes after the last message changes nothing.
      return end === undefined ? failureOf(error, isStarted) : { end };
    }
    signal.throwIfAborted();
    const silent = providerBroken(this.#deps.name, 'has ended a call without a result');
    return end === undefined ? { type: isStarted ? 'refused' : 'lost', error: silent } : { end };
  }

  /** Passes on what a message tells; the end, if it is the last one. */
  #take(message: CallMessage, context: ToolContext): CallEnd | undefined {
    switch (message.case) {
      case 'progress':
        context.progress(toProgress(message.value));
        return undefined;
      case 'output':
        context.output(message.value);
        return undefined;
      case 'result':
        return toOutput(message.value);
      case 'suspended':
        return toSuspension(this.#deps.name, message.value);
      default:
        return undefined;
    }
  }

  #errorOf(
    { type, error }: CallFailure,
    { name: tool }: ProvidedTool,
    effect: ToolEffect,
    { deadlineMs }: ToolContext,
  ): DomainError {
    const { name, onStale, clock } = this.#deps;
    switch (type) {
      case 'not-begun':
        return toolUnavailable(name, error);
      case 'lost':
        return effect === 'READ_ONLY' ? toolUnavailable(name, error) : toolLost(name, error);
      case 'changed':
        onStale();
        return providerMovedOn(`${name}__${tool}`, error);
      case 'too-late':
        return toolTimedOut(Math.max(0, deadlineMs - clock.nowMs()));
      case 'refused':
        return error.reason === 'INVALID_FIELD' ? error : providerBroken(name, 'has failed', error);
      default:
        return unreachable(type);
    }
  }
}

type CallMessage =
  ReturnType<Client<typeof ToolProviderService>['callTool']> extends AsyncIterable<
    infer Response extends { message: unknown }
  >
    ? Response['message']
    : never;
