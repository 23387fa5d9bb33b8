import { expect } from 'vitest';
import { type Command, chosen, chosenRun, hasRuns, type Known, type Place, written } from './command.ts';
import type { FollowRequest } from './follower.ts';
import { inputOf } from './plan.ts';
import { mustCome } from './soon.ts';
import { outcomeOf, type World } from './world.ts';

export type FollowFacts = Place & {
  /** Share of the log that the follower has, in percent; over 100 = a cursor beyond the log. */
  readonly cursor: number;
  readonly live: boolean;
  readonly withSdk: boolean;
};

/** Time for a refusal, on a busy machine. */
const refusalMs = 5000;

/** Streams that one sequence opens at most. */
const maxFollowers = 8;

/** Watches a session, or attaches to a run, from any cursor. */
export class Follow implements Command {
  readonly facts: FollowFacts;
  readonly #attaches: boolean;

  constructor(facts: FollowFacts, attaches: boolean) {
    this.facts = facts;
    this.#attaches = attaches;
  }

  check = (known: Known) => (this.#attaches ? hasRuns(known) : known.sessions.length > 0);

  async run(known: Known, world: World): Promise<void> {
    if (world.followers.length >= maxFollowers) {
      return;
    }
    const { cursor, live, withSdk } = this.facts;
    const attached = this.#attaches ? chosenRun(known, this.facts) : undefined;
    const session = attached?.session ?? chosen(known.sessions, this.facts.session);
    const run = attached?.run;
    const { response } = await outcomeOf(world.sessions.getSession({ sessionId: session.id }));
    const lastSeq = response?.session?.lastSeq ?? 0n;
    const isBeyond = cursor > 100;
    const afterSeq = isBeyond ? lastSeq + 1000n : (lastSeq * BigInt(cursor)) / 100n;
    const input = run === undefined ? '' : inputOf(run.plan);
    const request: FollowRequest = {
      sessionId: session.id,
      afterSeq,
      live,
      ...(run === undefined ? {} : { run: { id: run.id, requestId: run.requestId, input } }),
    };
    world.follow(request, withSdk);
    if (session.isDeleted || isBeyond) {
      const follower = world.followers.pop();
      const expected = session.isDeleted ? 'SESSION_NOT_FOUND' : 'CURSOR_OUT_OF_RANGE';
      await mustCome(
        () => `${expected} is refused`,
        () => follower?.isEnded === true,
        refusalMs,
      );
      expect(follower?.refusal).toBe(expected);
    }
  }

  toString = () => written(this.#attaches ? 'attach' : 'watch', this.facts);
}
