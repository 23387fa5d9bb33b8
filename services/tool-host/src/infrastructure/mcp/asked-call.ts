import type { ElicitResult } from '@modelcontextprotocol/client';
import type { ToolContext } from '@spanwise/tool-kit/contract';
import { z } from 'zod';
import { errorFacts } from './error-facts.ts';
import type { RemoteContinuation } from './mcp-connection.ts';
import { type Form, readAnswers } from './question.ts';
import type { RemoteQuestions } from './remote-questions.ts';
import type { SchemaCompiler } from './remote-schema.ts';

const form = z.object({ key: z.string(), message: z.string(), schema: z.record(z.string(), z.unknown()) });
const result = z.custom<ElicitResult>((value) => typeof value === 'object' && value !== null && 'action' in value);

/** What is kept of a call while its user is asked. */
const keptState = z.object({
  /** How often the user was asked. */
  rounds: z.number(),
  /** What waits for the answer. */
  forms: z.array(form),
  /** What was answered before, by the keys of its forms: a server of an older revision asks for it again. */
  answered: z.record(z.string(), result),
  /** What a server of revision 2026-07-28 wants back. */
  requestState: z.string().optional(),
  /** Whether the server is of that revision. */
  isContinued: z.boolean(),
});

type KeptState = z.output<typeof keptState>;

/** How often a server may ask in one call. */
export const maxRounds = 8;
/** Of what a server wants back. */
export const maxRequestStateLength = 64 * 1024;

export interface AskedCallDeps {
  readonly questions: RemoteQuestions;
  readonly compiler: SchemaCompiler;
}

/** A call that may have been executed before, up to where its server asked. */
export class AskedCall {
  readonly #questions: RemoteQuestions;
  readonly #context: ToolContext;
  readonly #before: KeptState | undefined;
  readonly #answers: Readonly<Record<string, ElicitResult>>;

  private constructor({ questions, compiler }: AskedCallDeps, context: ToolContext, before: KeptState | undefined) {
    this.#questions = questions;
    this.#context = context;
    this.#before = before;
    const isAnswered = before !== undefined && context.answer !== undefined;
    this.#answers = isAnswered ? readAnswers(compiler, before.forms, context.answer) : {};
  }

  /** Throws INVALID_FIELD when the answer does not fit, DATABASE_UNAVAILABLE. */
  static async of(deps: AskedCallDeps, context: ToolContext): Promise<AskedCall> {
    const { questions } = deps;
    const kept = context.answer === undefined ? undefined : await questions.find(context.call);
    const state = kept === undefined ? undefined : keptState.safeParse(JSON.parse(kept));
    return new AskedCall(deps, context, state?.success === true ? state.data : undefined);
  }

  get rounds(): number {
    return this.#before?.rounds ?? 0;
  }

  /** What is sent along with the call; nothing at first. */
  get continuation(): RemoteContinuation {
    if (this.#before?.isContinued !== true) {
      return {};
    }
    const { requestState } = this.#before;
    return { inputResponses: this.#answers, ...(requestState === undefined ? {} : { requestState }) };
  }

  /** What the user has said to a form that a server of an older revision asks for anew. */
  answerTo({ key }: Form): ElicitResult | undefined {
    return this.#answers[key] ?? this.#before?.answered[key];
  }

  /** Keeps what is asked now. Throws DATABASE_UNAVAILABLE. */
  async keep(
    forms: readonly Form[],
    asked: { readonly isContinued: boolean; readonly requestState?: string },
  ): Promise<void> {
    const answered = { ...this.#before?.answered, ...this.#answers };
    const state: KeptState = { rounds: this.rounds + 1, forms: [...forms], answered, ...asked };
    await this.#questions.keep(this.#context.call, JSON.stringify(state));
  }

  /** Forgets what was asked: the call has come to its end. What can not be forgotten goes with its session. */
  async forget(): Promise<void> {
    if (this.#before !== undefined) {
      await this.#questions.forget(this.#context.call).catch((error: unknown) => {
        this.#context.log.warn(errorFacts(error), 'question not forgotten');
      });
    }
  }
}
