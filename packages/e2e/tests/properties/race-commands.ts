import { expect } from 'vitest';
import { type Command, chosenRun, hasRuns, type Known, type Place, written } from './command.ts';
import { Cancel, rightAnswer } from './end-commands.ts';
import { afterTurns } from './soon.ts';
import { outcomeOf, type World } from './world.ts';

export type RaceFacts = Place & { readonly gates: number; readonly turns: number; readonly waits: boolean };

/** Cancels a run some turns of the event loop after its model was let go on: perhaps while it completes. */
export class CancelWhileItGoesOn implements Command {
  readonly facts: RaceFacts;

  constructor(facts: RaceFacts) {
    this.facts = facts;
  }

  check = hasRuns;

  async run(known: Known, world: World): Promise<void> {
    const { run } = chosenRun(known, this.facts);
    run.gates += this.facts.gates;
    world.model.release(run.plan.tag, this.facts.gates);
    await afterTurns(this.facts.turns);
    await new Cancel({ ...this.facts, which: 'run' }).run(known, world);
  }

  toString = () => written('cancel while it goes on', this.facts);
}

/** Answers and cancels a run at once. */
export class CancelWhileAnswered implements Command {
  readonly facts: Omit<RaceFacts, 'gates'>;

  constructor(facts: CancelWhileAnswered['facts']) {
    this.facts = facts;
  }

  check = hasRuns;

  async run(known: Known, world: World): Promise<void> {
    const { session, run } = chosenRun(known, this.facts);
    const [interrupt] = session.isDeleted ? [] : (await world.look(session, run)).interrupts;
    const answer = { sessionId: session.id, runId: run.id, interruptId: interrupt?.id ?? '', answerJson: rightAnswer };
    const answering = interrupt && outcomeOf(world.sessions.answerInterrupt(answer));
    if (interrupt !== undefined) {
      // Until it is known whether the answer was taken, it may have been: the run may go on.
      run.answers.set(interrupt.id, rightAnswer);
    }
    await afterTurns(this.facts.turns);
    await new Cancel({ ...this.facts, which: 'run' }).run(known, world);
    const reason = (await answering)?.reason;
    expect([undefined, ...(session.mayBeOver(run) ? ['INTERRUPT_NOT_FOUND'] : [])]).toContain(reason);
    if (reason !== undefined) {
      run.answers.delete(interrupt?.id ?? '');
    }
  }

  toString = () => written('cancel while answered', this.facts);
}
