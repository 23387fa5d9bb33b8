import { brandId, type RunId, type SessionId } from '@spanwise/kernel';
import { fakeClock } from '@spanwise/testing';
import type { Published } from '../../src/application/published.ts';
import { RunWriter } from '../../src/application/run-writer.ts';
import type { Append } from '../../src/domain/event/event-log.ts';
import type { ClosedSpan } from '../../src/domain/run/open-work.ts';
import { brief } from './said.ts';
import { settled } from './world.ts';

export const sessionId = brandId<SessionId>('00000000-0000-7000-8000-0000000000aa');
export const runId = brandId<RunId>('00000000-0000-7000-8000-0000000000bb');

/** A writer on a log that commits when the test says so. */
export function writerOn(commit: (append: Append) => Promise<void> = () => Promise.resolve()) {
  const clock = fakeClock();
  const appends: Append[] = [];
  const shown: Published[] = [];
  const closed: ClosedSpan[] = [];
  const failures: unknown[] = [];
  const append = (each: Append) => {
    appends.push(each);
    return commit(each);
  };
  const writer = new RunWriter(
    {
      log: { append, read: async () => [], bounds: async () => undefined },
      publisher: {
        publish: (entries) => void shown.push(...entries),
        close: () => undefined,
        handOff: () => undefined,
      },
      clock,
      onSpanClosed: (span) => void closed.push(span),
      onFailure: (error) => void failures.push(error),
    },
    { sessionId, runId, epoch: 7, lastSeq: 10, lastContextSeq: 4 },
  );
  const stored = () => appends.flatMap(({ events }) => events.map(brief));
  return {
    writer,
    clock,
    appends,
    closed,
    failures,
    stored,
    shown: () => shown.map(({ event }) => brief(event)),
    entries: shown,
  };
}

/** A gate that commits wait at. */
export function gate() {
  const waiting: (() => void)[] = [];
  return {
    pass: () => new Promise<void>((resolve) => waiting.push(resolve)),
    open: async () => {
      waiting.shift()?.();
      await settled();
    },
  };
}
