import type { RunId, SessionId } from '@spanwise/kernel';
import { viewNotFound } from '../view/view-errors.ts';
import { fenced, idempotencyKeyReused } from './change-errors.ts';

/** What makes a change idempotent. */
export interface OnceOnly {
  /** Unique to the view; not empty. */
  readonly key: string;
  /** Digest of the operation and all that it was asked, but the epoch. */
  readonly requestHash: string;
}

/** Who asks for a change: what decides whether it may still happen, and whether it has happened already. */
export interface ChangeSource {
  /** Fencing number of the dispatch that asks; absent or 0 = a client outside of runs, which no fence stops. */
  readonly epoch?: number | undefined;
  /** Absent: each call has its effect. */
  readonly once?: OnceOnly | undefined;
}

/** A change of a view's files. */
export interface Change extends ChangeSource {
  readonly viewId: RunId;
  readonly sessionId: SessionId;
}

/** The answer of a change, kept with the request that it answers. */
export interface KeptAnswer {
  readonly requestHash: string;
  /** JSON of the answer. */
  readonly answer: string;
}

/** The highest fence that a dispatch can raise. */
export const highestFence: number = Number.MAX_SAFE_INTEGER - 1;

/** The fence of a session whose data was deleted: nothing comes after it, not even a client outside of runs. */
export const deletedFence: number = Number.MAX_SAFE_INTEGER;

/** True when a session that is fenced at `fence` refuses changes of the epoch. */
export function isStopped(epoch: number | undefined, fence: number): boolean {
  return fence === deletedFence || (epoch !== undefined && epoch > 0 && epoch < fence);
}

/** Throws FENCED for a dispatch that the session is shut against, VIEW_NOT_FOUND after its data was deleted. */
export function assertNotStopped({ epoch = 0 }: ChangeSource, fence: number): void {
  if (isStopped(epoch, fence)) {
    throw epoch === 0 ? viewNotFound() : fenced();
  }
}

/** The answer as it was given. Throws IDEMPOTENCY_KEY_REUSED when another request was answered. */
export function answerAgain<Answer extends object>(once: OnceOnly, kept: KeptAnswer | undefined): Answer | undefined {
  if (kept === undefined) {
    return undefined;
  }
  if (kept.requestHash !== once.requestHash) {
    throw idempotencyKeyReused();
  }
  return JSON.parse(kept.answer) as Answer;
}
