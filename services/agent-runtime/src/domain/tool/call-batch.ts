import { invariantBroken } from '@spanwise/kernel';
import type { ToolCallPart, ToolResultPart } from '../message/message.ts';

/** A call as the model asked for it. */
export interface ModelCall extends ToolCallPart {
  /** True when the model's token limit cut its arguments: never executed. */
  readonly isCut: boolean;
}

/** A call that has no result yet. */
export interface UnansweredCall {
  readonly call: ModelCall;
  /** It may have had effects. */
  readonly wasBegun: boolean;
}

/** The calls of one committed message. Each gets exactly one result, whatever happens to the run. */
export class CallBatch {
  readonly calls: readonly ModelCall[];
  readonly #begun = new Set<string>();
  readonly #results = new Map<string, ToolResultPart>();

  constructor(calls: readonly ModelCall[]) {
    this.calls = calls;
  }

  /** Notes that a call is handed to a tool: from now on it may have effects. */
  begin({ callId }: ModelCall): void {
    this.#begun.add(callId);
  }

  /** Notes the result of a call. A second one for the same call is a bug. */
  answer(result: ToolResultPart): void {
    if (this.#results.has(result.callId)) {
      throw invariantBroken(`call ${result.callId} was answered twice`);
    }
    this.#results.set(result.callId, result);
  }

  unanswered(): readonly UnansweredCall[] {
    return this.calls
      .filter(({ callId }) => !this.#results.has(callId))
      .map((call) => ({ call, wasBegun: this.#begun.has(call.callId) }));
  }

  /** One result a call, in call order. */
  results(): readonly ToolResultPart[] {
    return this.calls.map(({ callId }) => {
      const result = this.#results.get(callId);
      if (result === undefined) {
        throw invariantBroken(`call ${callId} has no result`);
      }
      return result;
    });
  }
}
