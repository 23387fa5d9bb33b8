import { invariantBroken } from '@spanwise/kernel';
import type { ToolCallPart, ToolResultPart } from '../message/message.ts';

/** A call as the model asked for it. */
export interface ModelCall extends ToolCallPart {
  /** True when the model's token limit cut its arguments: never executed. */
  readonly isCut: boolean;
}

/** A call that has no result yet. */
export interface UnansweredCall {
  readonly call: ToolCallPart;
  /** It may have had effects. */
  readonly wasBegun: boolean;
  /** It waits for an interrupt. */
  readonly isSuspended: boolean;
}

/** What is known of the calls of a message that an earlier dispatch committed. */
export interface EarlierCalls {
  /** Results that are in the log already. */
  readonly results: readonly ToolResultPart[];
}

/** The calls of one committed message. Each gets exactly one result, whatever happens to the run. */
export class CallBatch {
  readonly calls: readonly ToolCallPart[];
  readonly #begun = new Set<string>();
  readonly #suspended = new Set<string>();
  #isLeft = false;
  readonly #results = new Map<string, ToolResultPart>();

  /** With `earlier`, an earlier dispatch may have begun any of them. */
  constructor(calls: readonly ToolCallPart[], earlier?: EarlierCalls) {
    this.calls = calls;
    if (earlier !== undefined) {
      const callIds = new Set(calls.map(({ callId }) => callId));
      callIds.forEach((callId) => this.#begun.add(callId));
      earlier.results.filter(({ callId }) => callIds.has(callId)).forEach((result) => this.answer(result));
    }
  }

  /** True when calls wait for interrupts. */
  get isSuspended(): boolean {
    return this.#suspended.size > 0;
  }

  /** True when calls go on in another dispatch. */
  get isLeft(): boolean {
    return this.#isLeft;
  }

  /** Notes that a call goes on in another dispatch. */
  leave(): void {
    this.#isLeft = true;
  }

  /** Notes that a call is handed to a tool: from now on it may have effects. */
  begin({ callId }: ToolCallPart): void {
    this.#begun.add(callId);
  }

  /** Notes that a call waits for an interrupt. */
  suspend({ callId }: ToolCallPart): void {
    this.#suspended.add(callId);
  }

  wasBegun({ callId }: ToolCallPart): boolean {
    return this.#begun.has(callId);
  }

  isAnswered({ callId }: ToolCallPart): boolean {
    return this.#results.has(callId);
  }

  /** Notes the result of a call. A second one for the same call is a bug. */
  answer(result: ToolResultPart): void {
    if (this.#results.has(result.callId)) {
      throw invariantBroken(`call ${result.callId} was answered twice`);
    }
    this.#results.set(result.callId, result);
    this.#suspended.delete(result.callId);
  }

  unanswered(): readonly UnansweredCall[] {
    return this.calls
      .filter((call) => !this.isAnswered(call))
      .map((call) => ({ call, wasBegun: this.wasBegun(call), isSuspended: this.#suspended.has(call.callId) }));
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
