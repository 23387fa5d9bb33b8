import type { SpanwiseClient } from '@spanwise/client';
import type { AgentEvent } from '@spanwise/contracts/spanwise/event/v1/event';
import type { Run, Session } from '@spanwise/contracts/spanwise/session/v1/session';
import type { Message } from '@spanwise/contracts/spanwise/type/v1/message';
import { expect } from 'vitest';

/** A session as the public API tells it. */
export interface StoredSession {
  readonly session: Session;
  /** Newest first. */
  readonly runs: readonly Run[];
  readonly events: readonly AgentEvent[];
  readonly messages: readonly Message[];
}

interface Page {
  readonly nextPageToken: string;
}

/** Reads all of a session whose runs are over, in pages. */
export async function readSession(sessions: SpanwiseClient['sessions'], sessionId: string): Promise<StoredSession> {
  const { session } = await sessions.getSession({ sessionId });
  const runs = await readPages((page) => sessions.listRuns({ sessionId, ...page }));
  const events = await readPages((page) => sessions.listEvents({ sessionId, ...page }));
  const messages = await readPages((page) => sessions.listMessages({ sessionId, ...page }));
  return {
    session: session ?? expect.unreachable('GetSession answers the session'),
    runs: runs.flatMap((page) => page.runs),
    events: events.flatMap((page) => page.events),
    messages: messages.flatMap((page) => page.messages),
  };
}

async function readPages<Answer extends Page>(
  read: (page: { readonly pageSize: number; readonly pageToken: string }) => Promise<Answer>,
): Promise<readonly Answer[]> {
  const pages: Answer[] = [];
  let pageToken = '';
  do {
    const page = await read({ pageSize: 60, pageToken });
    pages.push(page);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return pages;
}
