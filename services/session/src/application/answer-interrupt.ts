import type { Clock, RunId, SessionId } from '@spanwise/kernel';
import { type Interrupt, interruptKind } from '../domain/event/agent-event.ts';
import { approvalJson } from '../domain/run/approval-answer.ts';
import type { InterruptRepository, OwnersAnswer } from '../domain/run/interrupt-repository.ts';
import type { Run } from '../domain/run/run.ts';
import { interruptAnswered, interruptNotFound, signInTokenMissing } from '../domain/run/run-errors.ts';
import type { RunRepository } from '../domain/run/run-repository.ts';
import { signInJson, signInOf } from '../domain/run/sign-in.ts';
import type { SessionRepository } from '../domain/session/session-repository.ts';
import type { Caller } from './ports/caller.ts';
import type { TokenSeal } from './ports/token-seal.ts';
import { ownSession } from './session-access.ts';
import type { TakeOver } from './take-over.ts';

export interface AnswerInterruptRequest {
  readonly caller: Caller;
  readonly sessionId: SessionId;
  readonly runId: RunId;
  readonly interruptId: string;
  readonly answerJson: string;
}

export interface AnswerInterruptDeps {
  readonly sessions: SessionRepository;
  readonly runs: RunRepository;
  readonly interrupts: InterruptRepository;
  readonly takeOver: TakeOver;
  readonly tokens: TokenSeal;
  readonly clock: Clock;
}

/**
 * Stores what the owner of a session answers; a run that has waited for nothing else goes on, from here. Whoever has signed in
 * again brings the token with the answer: from then on it is the run's.
 */
export class AnswerInterrupt {
  readonly #deps: AnswerInterruptDeps;

  constructor(deps: AnswerInterruptDeps) {
    this.#deps = deps;
  }

  /**
   * Throws SESSION_NOT_FOUND, INTERRUPT_NOT_FOUND, and INTERRUPT_ANSWERED, also of one that has expired; INVALID_FIELD for an
   * answer that is to bring a token and does not, or that is to approve a call and is no clear yes or no. The same answer again
   * is fine.
   */
  async execute(request: AnswerInterruptRequest): Promise<Run> {
    const { sessions, runs, interrupts, takeOver, clock } = this.#deps;
    const { caller, sessionId, runId, interruptId } = request;
    await ownSession(sessions, caller, sessionId);
    const interrupt = await interrupts.find(sessionId, runId, interruptId);
    if (interrupt === undefined) {
      throw interruptNotFound();
    }
    const given = this.#given(interrupt, request);
    const answer = { sessionId, runId, interruptId, answeredBy: caller.uid, ...given };
    const outcome = await interrupts.answer(answer, clock.nowMs());
    const run = outcome === 'not-found' ? undefined : await runs.find(sessionId, runId);
    if (run === undefined) {
      throw interruptNotFound();
    }
    if (outcome === 'answered-before') {
      throw interruptAnswered();
    }
    // While the run still runs its driver sees the answer before it lets it wait.
    if (run.status !== 'WAITING') {
      return run;
    }
    // Somebody else may have been faster.
    return (await takeOver.take(run, caller)) ?? (await runs.find(sessionId, runId)) ?? run;
  }

  #given({ kind }: Interrupt, request: AnswerInterruptRequest): GivenAnswer {
    switch (kind) {
      case interruptKind.auth:
        return this.#signIn(request);
      case interruptKind.approval:
        return { answerJson: approvalJson(request.answerJson), sealedToken: undefined };
      default:
        return { answerJson: request.answerJson, sealedToken: undefined };
    }
  }

  #signIn({ caller, runId, answerJson }: AnswerInterruptRequest): GivenAnswer {
    const signIn = signInOf(answerJson);
    if (signIn === 'signed-in' && caller.token === '') {
      throw signInTokenMissing();
    }
    const sealedToken = signIn === 'signed-in' ? this.#deps.tokens.seal(caller.token, runId) : undefined;
    return { answerJson: signInJson[signIn], sealedToken };
  }
}

/** What is stored of an answer. */
type GivenAnswer = Pick<OwnersAnswer, 'answerJson' | 'sealedToken'>;
