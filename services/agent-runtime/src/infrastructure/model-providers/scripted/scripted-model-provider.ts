import { DomainError } from '@spanwise/kernel';
import { assertAskable } from '../../../domain/message/context.ts';
import { streamIncomplete } from '../../../domain/model/model-errors.ts';
import type { ModelPart } from '../../../domain/model/model-part.ts';
import type { ModelCapabilities, ModelProvider } from '../../../domain/model/model-provider.ts';
import type { ModelRequest } from '../../../domain/model/model-request.ts';
import type { ScriptedAnswer } from './script.ts';

/**
 * Plays answers from a script, one a request, for tests and offline work. It is strict: a request beyond the script or
 * other than the expected one, and a dialogue that a provider would refuse, fail the run loudly.
 */
export class ScriptedModelProvider implements ModelProvider {
  readonly id = 'scripted';
  /** What was asked, in order; the dialogue as it was then. */
  readonly requests: ModelRequest[] = [];
  readonly #answers: readonly ScriptedAnswer[];

  constructor(answers: readonly ScriptedAnswer[]) {
    this.#answers = answers;
  }

  /** How many answers were not asked for. */
  get remaining(): number {
    return Math.max(0, this.#answers.length - this.requests.length);
  }

  capabilities(): ModelCapabilities {
    return {
      tools: true,
      parallelTools: true,
      vision: false,
      reasoning: true,
      jsonSchema: false,
      contextWindow: 128_000,
      maxOutput: 16_384,
    };
  }

  async *stream(request: ModelRequest, { signal }: { readonly signal: AbortSignal }): AsyncGenerator<ModelPart, void> {
    signal.throwIfAborted();
    const answer = this.#take(request);
    let isFinished = false;
    for (const step of answer.steps) {
      if (step.type === 'fail') {
        throw step.error;
      }
      await (step.type === 'pause' ? untilAborted(step.until, signal) : Promise.resolve());
      signal.throwIfAborted();
      if (step.type !== 'pause') {
        isFinished ||= step.type === 'finish';
        yield step;
      }
    }
    if (!isFinished) {
      throw streamIncomplete('the script ended without a stop reason');
    }
  }

  #take(request: ModelRequest): ScriptedAnswer {
    const answer = this.#answers[this.requests.length];
    this.requests.push({ ...request, messages: [...request.messages] });
    assertAskable(request.messages);
    const names = request.tools.map(({ name }) => name);
    if (names.join() !== names.toSorted().join()) {
      throw unexpectedRequest('the tools are not sorted by name');
    }
    if (answer === undefined) {
      throw unexpectedRequest('the script has no answer left');
    }
    const problem = answer.expects?.(request);
    if (problem !== undefined) {
      throw unexpectedRequest(problem);
    }
    return answer;
  }
}

/** The script did not foresee this request. Whoever wrote the script, or the loop, corrects it. */
function unexpectedRequest(problem: string): DomainError {
  return new DomainError('internal', 'INTERNAL', `The scripted model did not expect this request: ${problem}.`);
}

function untilAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<unknown> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener('abort', abort));
}
