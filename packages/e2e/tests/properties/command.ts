import type fc from 'fast-check';
import { expect } from 'vitest';
import type { KnownRun, KnownSession } from './run-reducer.ts';
import type { World } from './world.ts';

/** All that is known of what one sequence of commands has done: the reference model. */
export interface Known {
  readonly sessions: KnownSession[];
}

/** A step of a sequence: done to the system, and to what is known. */
export type Command = fc.AsyncCommand<Known, World>;

/** Sessions and runs are named by any number: the remainder chooses. */
export function chosen<Item>(items: readonly Item[], place: number): Item {
  return items[place % items.length] ?? expect.unreachable('a command checks that there is something to choose');
}

/** Any place, for {@link chosen}. */
export interface Place {
  readonly session: number;
  readonly run: number;
}

export function chosenRun(
  { sessions }: Known,
  place: Place,
): { readonly session: KnownSession; readonly run: KnownRun } {
  const session = chosen(
    sessions.filter(({ runs }) => runs.length > 0),
    place.session,
  );
  return { session, run: chosen(session.runs, place.run) };
}

export function hasRuns({ sessions }: Known): boolean {
  return sessions.some(({ runs }) => runs.length > 0);
}

/** How a command is written in a counterexample. */
export function written(name: string, facts: object): string {
  return `${name} ${JSON.stringify(facts)}`;
}
