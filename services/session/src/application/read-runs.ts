import { brandId, type RunId, type SessionId } from '@spanwise/kernel';
import type { Run } from '../domain/run/run.ts';
import type { RunRepository } from '../domain/run/run-repository.ts';
import type { SessionRepository } from '../domain/session/session-repository.ts';
import { type Page, type PageRequest, readPage } from './paging.ts';
import type { Caller } from './ports/caller.ts';
import type { PageTokens } from './ports/page-tokens.ts';
import { ownRun, ownSession } from './session-access.ts';

export interface ReadRunsDeps {
  readonly sessions: SessionRepository;
  readonly runs: RunRepository;
  readonly pageTokens: PageTokens;
}

/** Reads the runs of the caller's sessions. */
export class ReadRuns {
  readonly #deps: ReadRunsDeps;

  constructor(deps: ReadRunsDeps) {
    this.#deps = deps;
  }

  /** Throws RUN_NOT_FOUND. */
  get(caller: Caller, sessionId: SessionId, runId: RunId): Promise<Run> {
    return ownRun(this.#deps, caller, sessionId, runId);
  }

  /** Newest first. Throws SESSION_NOT_FOUND, INVALID_PAGE_TOKEN. */
  async list(caller: Caller, sessionId: SessionId, page: PageRequest): Promise<Page<Run>> {
    await ownSession(this.#deps.sessions, caller, sessionId);
    return readPage(this.#deps.pageTokens, ['runs', caller.uid, sessionId], page, {
      read: (after, limit) => this.#deps.runs.list(sessionId, after && brandId<RunId>(String(after[0])), limit),
      cursorOf: ({ id }) => [id],
    });
  }
}
