import type { RunId, SessionId } from '@spanwise/kernel';
import type { Interrupt } from '../event/agent-event.ts';

/** An answer of the owner of the session. */
export interface OwnersAnswer {
  readonly sessionId: SessionId;
  readonly runId: RunId;
  readonly interruptId: string;
  readonly answerJson: string;
  readonly answeredBy: string;
  /** Replaces the sealed token of the run in the same transaction; undefined = the run keeps what it has. */
  readonly sealedToken: string | undefined;
}

export type AnswerOutcome =
  /** It is stored, or was, with the same content. */
  | 'answered'
  /** It has another answer, or expired. */
  | 'answered-before'
  /** There is none, or its run is over. */
  | 'not-found';

/** What runs wait for. An interrupt is stored in the transaction that commits its INTERRUPT. */
export interface InterruptRepository {
  /** An interrupt, answered or not; undefined when the session has no such run, or the run no such interrupt. */
  find(sessionId: SessionId, runId: RunId, interruptId: string): Promise<Interrupt | undefined>;
  /**
   * Stores an answer, once, and before the interrupt expires: by `nowMs`, as the claims that take it as expired. A run has one
   * token, so an answer to an interrupt of kind auth answers all others of that kind that the run waits for.
   */
  answer(answer: OwnersAnswer, nowMs: number): Promise<AnswerOutcome>;
  /** What of a run nobody has answered, in the order of ids. */
  open(runId: RunId): Promise<readonly Interrupt[]>;
}
