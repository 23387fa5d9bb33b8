import type { AgentEvent } from '@spanwise/contracts/spanwise/event/v1/event';
import { expect } from 'vitest';
import { BlockTexts } from './block-texts.ts';
import type { Follower } from './follower.ts';
import { committedBlocks, json } from './message-invariants.ts';
import { comes } from './soon.ts';
import type { StoredSession } from './stored-session.ts';

/** Time for a follower to be told what is in the log. */
const catchUpMs = 10_000;

/** I8, I9, I10: what each follower of a session was told, over all its streams, is what is stored. */
export async function compareFollowers(
  { session, events }: StoredSession,
  followers: readonly Follower[],
): Promise<void> {
  for (const follower of followers.filter(({ request }) => request.sessionId === session.id)) {
    await compare(events, follower);
  }
}

async function compare(events: readonly AgentEvent[], follower: Follower): Promise<void> {
  const { afterSeq, run, live } = follower.request;
  const name = `follower ${json(follower.request)}${follower.isExact ? ' with the SDK' : ''}`;
  const asked = events.filter(({ seq, runId }) => seq > afterSeq && (run === undefined || run.id === runId));
  const last = () => follower.events.findLast(({ seq }) => seq > 0n);
  const hasAll = await comes(
    () => follower.isEnded || last()?.seq === asked.at(-1)?.seq || asked.length === 0,
    catchUpMs,
  );
  expect(follower.refusal, `${name} is refused`).toBeUndefined();
  expect(hasAll, `${name} is told all, not only up to ${last()?.seq} of ${asked.at(-1)?.seq}`).toBe(true);
  const durable = follower.events.filter(({ seq }) => seq > 0n);
  // A stream of a run ends where the run waits.
  const isAtWait = last()?.data.case === 'runWaiting';
  const expected = isAtWait || durable.length === 0 ? asked.slice(0, durable.length) : asked;
  expect(live || durable.length === follower.events.length, `${name} is told live deltas`).toBe(true);
  const texts = new BlockTexts().apply(events.slice(0, Number(afterSeq)));
  const restored = follower.events.map((event) => texts.restore(event)).filter(({ seq }) => seq > 0n);
  const brief = follower.isExact && live ? withoutText : json;
  expect(restored.map(brief), `${name} is told what is stored`).toEqual(expected.map(brief));
  const stored = new BlockTexts().apply(events);
  for (const { id } of committedBlocks(events.filter(({ seq }) => seq <= (last()?.seq ?? 0n)))) {
    if (run === undefined || asked.some((event) => json(event).includes(id))) {
      expect(texts.textOf(id), `${name}: text of ${id}`).toBe(stored.textOf(id));
    }
  }
}

/** The SDK tells each byte of text once, live or stored. */
function withoutText({ seq, data }: AgentEvent): string {
  return `${seq} ${data.case}`;
}
