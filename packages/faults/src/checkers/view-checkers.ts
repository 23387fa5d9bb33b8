import { type ClientView, digestOf, notCompared } from '../clients/client-view.ts';
import type { EventRow, Evidence } from '../evidence/evidence.ts';
import { violation } from './log-checkers.ts';
import { storedTexts } from './stored-texts.ts';
import type { Violation } from './violation.ts';

/**
 * I8: the durable events of a client, joined over its reconnects, equal the table, elided text restored; and I10: none of
 * them is missing there. A client that follows one run is compared with the events of that run.
 */
export function checkDurableViews({ events, views, sessions }: Evidence): readonly Violation[] {
  const bySession = Map.groupBy(events, ({ sessionId }) => sessionId);
  const digests = new Map<EventRow, string>();
  const digest = (row: EventRow) => {
    const known = digests.get(row) ?? digestOf(row.event);
    digests.set(row, known);
    return known;
  };
  const kept = new Set(sessions.map(({ id }) => id));
  return views.flatMap((view) => {
    const rows = bySession.get(view.sessionId) ?? [];
    return kept.has(view.sessionId) ? [...differences(view, rows, digest), ...gaps(view, rows)] : [];
  });
}

function differences(
  { client, sessionId, durable, faults }: ClientView,
  rows: readonly EventRow[],
  digest: (row: EventRow) => string,
): readonly Violation[] {
  const bySeq = new Map(rows.map((row) => [row.seq, row]));
  const found = faults.map((fault) => violation('I8', `${client} of session ${sessionId}: ${fault}`));
  for (const [seq, seen] of durable) {
    const row = bySeq.get(seq);
    if (row === undefined) {
      found.push(violation('I10', `${client} saw seq ${seq} of session ${sessionId}, which is not stored`));
    } else if (seen !== notCompared && seen !== digest(row)) {
      found.push(violation('I8', `${client} saw another seq ${seq} of session ${sessionId} than is stored`));
    }
  }
  return found;
}

/** What a client should have seen between its first event and its last, or to the end of its run. */
function gaps({ client, sessionId, durable, runId, isComplete }: ClientView, rows: readonly EventRow[]) {
  const first = Math.min(...durable.keys());
  const last = Math.max(...durable.keys());
  const expected = rows.filter(
    (row) => (runId === undefined || row.runId === runId) && row.seq >= first && (isComplete || row.seq <= last),
  );
  const [missing] = expected.filter(({ seq }) => !durable.has(seq));
  return missing === undefined
    ? []
    : [violation('I8', `${client} has never seen seq ${missing.seq} of session ${sessionId}`)];
}

/** I9: the text that a client has of a block of a committed message is the text that is stored. */
export function checkTexts({ events, views }: Evidence): readonly Violation[] {
  const { texts, committed, faults } = storedTexts(events);
  return [
    ...faults.map((fault) => violation('I9', fault)),
    ...views.flatMap(({ client, blocks, sessionId, cursor }) =>
      [...blocks].flatMap(([blockId, { text, messageId }]) => {
        const stored = texts.get(blockId);
        const committedAt = committed.get(messageId);
        const isDue = stored !== undefined && committedAt !== undefined && committedAt <= cursor;
        return !isDue || stored === text
          ? []
          : [violation('I9', `${client} has other text of block ${blockId} of session ${sessionId} than is stored`)];
      }),
    ),
  ];
}
