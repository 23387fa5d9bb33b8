import { CancelResult } from '@spanwise/contracts/spanwise/session/v1/session';
import { expect } from 'vitest';
import { type Command, chosen, chosenRun, hasRuns, type Known, type Place, written } from './command.ts';
import { isOver, type KnownRun, type KnownSession } from './run-reducer.ts';
import { mustCome } from './soon.ts';
import { outcomeOf, statusOf, unknownId, type World } from './world.ts';

export type CancelFacts = Place & {
  /** The run of the place, whichever is active, or one that does not exist. */
  readonly which: 'run' | 'active' | 'unknown';
  readonly waits: boolean;
};

/** Cancels a run. */
export class Cancel implements Command {
  readonly facts: CancelFacts;

  constructor(facts: CancelFacts) {
    this.facts = facts;
  }

  check = hasRuns;

  async run(known: Known, world: World): Promise<void> {
    const { session, run: named } = chosenRun(known, this.facts);
    const { which, waits } = this.facts;
    const runId = { run: named.id, active: '', unknown: unknownId }[which];
    const { response, reason } = await outcomeOf(
      world.sessions.cancelRun({ sessionId: session.id, runId, wait: waits }),
    );
    if (session.isDeleted) {
      expect(reason).toBe('SESSION_NOT_FOUND');
    } else if (which === 'unknown') {
      expect(reason).toBe('RUN_NOT_FOUND');
    } else if (reason !== undefined) {
      expect({ which, reason }).toEqual({ which: 'active', reason: 'NO_ACTIVE_RUN' });
      session.sawIdle();
    } else {
      const answered = response.run ?? expect.unreachable('CancelRun answers the run');
      const run = session.runs.find(({ id }) => id === answered.id);
      expect(answered.id).toBe(which === 'run' ? named.id : run?.id);
      await this.#compare(session, run ?? named, response.result, statusOf(answered), world);
    }
  }

  async #compare(
    session: KnownSession,
    run: KnownRun,
    result: CancelResult,
    status: ReturnType<typeof statusOf>,
    world: World,
  ): Promise<void> {
    if (result === CancelResult.ALREADY_ENDED) {
      session.sawOneOf(run, ['FINISHING', 'COMPLETED', 'CANCELLED', 'FAILED']);
      session.saw(run, status);
      return;
    }
    session.sawOneOf(run, ['QUEUED', 'RUNNING', 'WAITING']);
    const possible = [...run.possible].filter((each) => each !== 'QUEUED');
    run.possible = new Set([...possible, 'CANCELLED']);
    run.cancel = 'yes';
    session.saw(run, status, true);
    if (this.facts.waits) {
      expect(status, `the status of ${run.plan.tag} once its cancel was waited for`).toBe('CANCELLED');
      await mustCome(
        () => `the model of ${run.plan.tag} goes on after its cancel`,
        () => !world.model.holds(run.plan.tag),
        stopMs,
      );
    }
  }

  toString = () => written('cancel', this.facts);
}

/** Deletes a session. */
export class Delete implements Command {
  readonly facts: Pick<Place, 'session'> & { readonly cancels: boolean };

  constructor(facts: Delete['facts']) {
    this.facts = facts;
  }

  check = ({ sessions }: Known) => sessions.length > 0;

  async run({ sessions }: Known, world: World): Promise<void> {
    const session = chosen(sessions, this.facts.session);
    const { reason } = await outcomeOf(
      world.sessions.deleteSession({ sessionId: session.id, cancelActiveRun: this.facts.cancels }),
    );
    if (session.isDeleted) {
      expect(reason).toBe('SESSION_NOT_FOUND');
      return;
    }
    if (reason !== undefined) {
      expect({ reason, ...this.facts }).toEqual({ ...this.facts, reason: 'SESSION_BUSY', cancels: false });
      expect(session.mayBeBusy, 'refused as busy').toBe(true);
      return;
    }
    expect(!this.facts.cancels && session.mustBeBusy, 'deleted while busy').toBe(false);
    session.isDeleted = true;
  }

  toString = () => written('delete', this.facts);
}

export type AnswerFacts = Place & { readonly which: 'right' | 'again' | 'another' | 'unknown' };

/** Time for a model's server to see that a call was given up. */
const stopMs = 5000;

/** An answer that fits any question of the model. */
export const rightAnswer = JSON.stringify({ answers: ['this one'] });

/** Answers what a run waits for. */
export class Answer implements Command {
  readonly facts: AnswerFacts;

  constructor(facts: AnswerFacts) {
    this.facts = facts;
  }

  check = hasRuns;

  async run(known: Known, world: World): Promise<void> {
    const { session, run } = chosenRun(known, this.facts);
    const answer = (interruptId: string, answerJson: string) =>
      outcomeOf(world.sessions.answerInterrupt({ sessionId: session.id, runId: run.id, interruptId, answerJson }));
    if (session.isDeleted || this.facts.which === 'unknown') {
      const { reason } = await answer(unknownId, rightAnswer);
      expect(reason).toBe(session.isDeleted ? 'SESSION_NOT_FOUND' : 'INTERRUPT_NOT_FOUND');
      return;
    }
    if (this.facts.which === 'right') {
      const [interrupt] = (await world.look(session, run)).interrupts;
      if (interrupt !== undefined) {
        await takeAnswer(session, run, interrupt.id, answer(interrupt.id, rightAnswer));
      }
      return;
    }
    const [answered] = run.answers;
    if (answered !== undefined) {
      const [id, json] = answered;
      const { reason } = await answer(id, this.facts.which === 'again' ? json : '"no"');
      const allowed = this.facts.which === 'again' ? [undefined] : ['INTERRUPT_ANSWERED'];
      // Of a run that is over nothing waits.
      expect([...allowed, ...(session.mayBeOver(run) ? ['INTERRUPT_NOT_FOUND'] : [])]).toContain(reason);
    }
  }

  toString = () => written('answer', this.facts);
}

/** Compares the answer to the first answer of an interrupt with what is known, which it changes. */
export async function takeAnswer(
  session: KnownSession,
  run: KnownRun,
  interruptId: string,
  call: ReturnType<typeof outcomeOf<Awaited<ReturnType<World['sessions']['answerInterrupt']>>>>,
): Promise<void> {
  const { response, reason } = await call;
  if (reason !== undefined) {
    expect({ reason, isCancelled: run.cancel !== 'no' }).toEqual({ reason: 'INTERRUPT_NOT_FOUND', isCancelled: true });
    session.sawOneOf(run, ['CANCELLED']);
    return;
  }
  run.answers.set(interruptId, rightAnswer);
  const answered = response.run ?? expect.unreachable('AnswerInterrupt answers the run');
  expect(answered.id).toBe(run.id);
  expect(isOver(statusOf(answered)) && run.cancel === 'no', 'over before its answer was used').toBe(false);
  session.saw(run, statusOf(answered), answered.cancelRequested);
}
