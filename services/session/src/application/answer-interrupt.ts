import type { Clock, RunId, SessionId } from '@spanwise/kernel';
import type { InterruptRepository } from '../domain/run/interrupt-repository.ts';
import type { Run } from '../domain/run/run.ts';
import { interruptAnswered, interruptNotFound } from '../domain/run/run-errors.ts';
import type { RunRepository } from '../domain/run/run-repository.ts';
import type { SessionRepository } from '../domain/session/session-repository.ts';
import type { Caller } from './ports/caller.ts';
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
  readonly clock: Clock;
}

/** Stores what the owner of a session answers; a run that has waited for nothing else goes on, from here. */
export class AnswerInterrupt {
  readonly #deps: AnswerInterruptDeps;

  constructor(deps: AnswerInterruptDeps) {
    this.#deps = deps;
  }

  /**
   * Throws SESSION_NOT_FOUND, INTERRUPT_NOT_FOUND, and INTERRUPT_ANSWERED, also of one that has expired. The same answer
   * again is fine.
   */
  async execute({ caller, ...request }: AnswerInterruptRequest): Promise<Run> {
    const { sessions, runs, interrupts, takeOver, clock } = this.#deps;
    const { sessionId, runId } = request;
    await ownSession(sessions, caller, sessionId);
    const outcome = await interrupts.answer({ ...request, answeredBy: caller.uid }, clock.nowMs());
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
}
