import type { RunId, SessionId } from '@spanwise/kernel';
import type { Run } from '../domain/run/run.ts';
import { runNotFound } from '../domain/run/run-errors.ts';
import type { RunRepository } from '../domain/run/run-repository.ts';
import type { Session } from '../domain/session/session.ts';
import { sessionNotFound } from '../domain/session/session-errors.ts';
import type { SessionRepository } from '../domain/session/session-repository.ts';
import type { Caller } from './ports/caller.ts';

/** The caller's session. Throws SESSION_NOT_FOUND for every other one. */
export async function ownSession(sessions: SessionRepository, caller: Caller, id: SessionId): Promise<Session> {
  const session = await sessions.find(caller.uid, id);
  if (session === undefined) {
    throw sessionNotFound();
  }
  return session;
}

/** A run of the caller's session. Throws RUN_NOT_FOUND, also when the session is someone else's. */
export async function ownRun(
  { sessions, runs }: { readonly sessions: SessionRepository; readonly runs: RunRepository },
  caller: Caller,
  sessionId: SessionId,
  runId: RunId,
): Promise<Run> {
  const session = await sessions.find(caller.uid, sessionId);
  const run = session === undefined ? undefined : await runs.find(sessionId, runId);
  if (run === undefined) {
    throw runNotFound();
  }
  return run;
}
