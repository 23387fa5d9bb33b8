import { type Clock, DomainError, type ExecSpanContext, type IdGenerator, type OpenSpan } from '@spanwise/kernel';
import type { ModelProvider } from '../domain/model/model-provider.ts';
import { estimateUsage, type ModelRequest } from '../domain/model/model-request.ts';
import type { Run } from '../domain/run/run.ts';
import { dispatchLeft } from '../domain/run/run-errors.ts';
import { abandonReason } from '../domain/run/run-event.ts';
import type { AttributeNames } from './ports/attribute-names.ts';
import type { Timers } from './ports/timers.ts';
import { readParts, type StallLimits } from './read-parts.ts';
import { type RetryLimits, RetryPolicy } from './retry-policy.ts';
import type { RunLog } from './run-log.ts';
import { type ModelAnswer, StreamTurn } from './stream-turn.ts';
import { sleep } from './until-aborted.ts';

export interface AskModelDeps {
  readonly ids: IdGenerator;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: () => number;
  readonly attribute: AttributeNames;
  readonly stallLimits: StallLimits;
  readonly retryLimits: RetryLimits;
}

/** One question of a run. */
export interface Question {
  readonly run: Run;
  readonly provider: ModelProvider;
  readonly request: ModelRequest;
  /** The turn that asks. */
  readonly parent: ExecSpanContext;
  readonly log: RunLog;
}

/**
 * Asks a model once and streams its answer as events. Every request to the provider is a span `chat {model}`. A request
 * that fails is repeated as the {@link RetryPolicy} says; what it had shown by then is abandoned, and the repetition has
 * a message id of its own. When this throws, whatever it had opened is closed, unless the dispatch was left: then nothing
 * more is said.
 */
export class AskModel {
  readonly #deps: AskModelDeps;

  constructor(deps: AskModelDeps) {
    this.#deps = deps;
  }

  /** Throws the signal's reason, or what the provider failed with at last. */
  async execute(question: Question, signal: AbortSignal): Promise<ModelAnswer> {
    const { clock, random, timers, retryLimits } = this.#deps;
    const policy = new RetryPolicy({ limits: retryLimits, clock, random, deadlineMs: question.run.deadlineMs });
    for (;;) {
      const attempt = this.#begin(question);
      try {
        return await this.#read(question, attempt, signal);
      } catch (error) {
        if (signal.reason === dispatchLeft) {
          throw error;
        }
        const delayMs = signal.aborted ? undefined : policy.delayAfter(error, attempt.stream.hasShown);
        attempt.stream.abandon(delayMs === undefined ? abandonReason.runEnded : abandonReason.retry);
        attempt.span.end(signal.aborted ? { status: 'cancelled' } : { status: 'error', errorType: reasonOf(error) });
        if (delayMs === undefined) {
          throw error;
        }
        // Nothing else is said for a while, and watchers want to know why.
        question.log.flush();
        await sleep(timers, delayMs, signal);
      }
    }
  }

  #begin({ run, provider, request, parent, log }: Question): Attempt {
    const { ids, attribute } = this.#deps;
    const span = log.spans.start(parent, 'model', `chat ${request.model}`, {
      [attribute.operationName]: 'chat',
      [attribute.providerName]: provider.id,
      [attribute.requestModel]: request.model,
      [attribute.conversationId]: run.dispatch.sessionId,
    });
    return { span, stream: new StreamTurn({ log, span: span.context.span, runId: run.dispatch.runId, ids }) };
  }

  async #read({ run, provider, request, log }: Question, { span, stream }: Attempt, signal: AbortSignal) {
    const { attribute, stallLimits: limits, clock, timers } = this.#deps;
    await readParts(
      (connection) => provider.stream(request, { signal: connection }),
      (part) => stream.accept(part) && (log.room() ?? true),
      { limits, clock, timers },
      signal,
    );
    const answer = stream.complete();
    const usage = answer.usage ?? estimateUsage(provider.id, request, answer.bytes);
    run.count(usage);
    log.end(span.context.span, { case: 'usage', value: { usage } });
    span.end({
      status: 'ok',
      attributes: {
        [attribute.inputTokens]: String(usage.inputTokens),
        [attribute.outputTokens]: String(usage.outputTokens),
        [attribute.responseFinishReasons]: answer.rawReason,
      },
    });
    return answer;
  }
}

/** One request to the provider. */
interface Attempt {
  readonly span: OpenSpan;
  readonly stream: StreamTurn;
}

function reasonOf(error: unknown): string {
  return error instanceof DomainError ? error.reason : 'INTERNAL';
}
