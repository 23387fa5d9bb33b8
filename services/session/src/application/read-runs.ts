import { brandId, type RunId, type SessionId } from '@spanwise/kernel';
import type { Interrupt } from '../domain/event/agent-event.ts';
import type { InterruptRepository } from '../domain/run/interrupt-repository.ts';
import { isOver, type Run } from '../domain/run/run.ts';
import type { RunRepository } from '../domain/run/run-repository.ts';
import type { SessionRepository } from '../domain/session/session-repository.ts';
import { type Page, type PageRequest, readPage } from './paging.ts';
import type { Caller } from './ports/caller.ts';
import type { PageTokens } from './ports/page-tokens.ts';
import { ownRun, ownSession } from './session-access.ts';

export interface ReadRunsDeps {
  readonly sessions: SessionRepository;
  readonly runs: RunRepository;
  readonly interrupts: InterruptRepository;
  readonly pageTokens: PageTokens;
}

/** Reads the runs of the caller's sessions. */
export class ReadRuns {
  readonly #deps: ReadRunsDeps;

  constructor(deps: ReadRunsDeps) {
    this.#deps = deps;
  }

  /** A run, and what it waits for. Throws RUN_NOT_FOUND. */
  async get(
    caller: Caller,
    sessionId: SessionId,
    runId: RunId,
  ): Promise<{ run: Run; interrupts: readonly Interrupt[] }> {
    const run = await ownRun(this.#deps, caller, sessionId, runId);
    return { run, interrupts: isOver(run.status) ? [] : await this.#deps.interrupts.open(runId) };
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
