import { BusyPolicy } from '@spanwise/contracts/spanwise/session/v1/session';
import { type Command, chosen, chosenRun, hasRuns, type Known, type Place, written } from './command.ts';
import { Cancel } from './end-commands.ts';
import { afterTurns } from './soon.ts';
import { mayTakeRun, Start } from './start-commands.ts';
import { outcomeOf, type World } from './world.ts';

/** A restart, some turns of the event loop after a request was sent. */
export interface RestartFacts extends Place {
  /** In good order, or by a kill: as the world does it. */
  readonly isKill: boolean;
  readonly turns: number;
}

async function restart({ sessions }: Known, world: World, { isKill, turns }: RestartFacts): Promise<void> {
  await afterTurns(turns);
  await world.restart();
  if (isKill) {
    for (const run of sessions.flatMap(({ runs }) => runs)) {
      run.kills += 1;
    }
  }
}

/** Stops the stack and starts it again on its data. */
export class Restart implements Command {
  readonly facts: RestartFacts;

  constructor(facts: RestartFacts) {
    this.facts = facts;
  }

  check = () => true;

  run(known: Known, world: World): Promise<void> {
    return restart(known, world, this.facts);
  }

  toString = () => written(this.facts.isKill ? 'kill' : 'restart', this.facts);
}

/** A request for a run that is cut by a restart, and made again. */
export class RestartInStart implements Command {
  readonly facts: RestartFacts;

  constructor(facts: RestartFacts) {
    this.facts = facts;
  }

  check = (known: Known) => mayTakeRun(known, this.facts.session);

  async run(known: Known, world: World): Promise<void> {
    const session = chosen(known.sessions, this.facts.session);
    const plan = { tag: world.newTag(), turns: [] };
    const policy = BusyPolicy.ENQUEUE;
    const cut = outcomeOf(world.start({ sessionId: session.id, requestId: `request of ${plan.tag}`, plan, policy }));
    await restart(known, world, this.facts);
    const { response } = await cut;
    const again = new Start({
      session: this.facts.session,
      policy,
      turns: [],
      times: 1,
      settles: false,
      tag: plan.tag,
    });
    await again.run(known, world, response?.run?.id);
  }

  toString = () => written('restart while starting', this.facts);
}

/** A cancel that is cut by a restart, and asked for again. */
export class RestartInCancel implements Command {
  readonly facts: RestartFacts;

  constructor(facts: RestartFacts) {
    this.facts = facts;
  }

  check = hasRuns;

  async run(known: Known, world: World): Promise<void> {
    const { session, run } = chosenRun(known, this.facts);
    const cut = outcomeOf(world.sessions.cancelRun({ sessionId: session.id, runId: run.id }));
    session.mayBeCancelled(run);
    await restart(known, world, this.facts);
    await cut;
    const { session: place, run: runPlace } = this.facts;
    await new Cancel({ session: place, run: runPlace, which: 'run', waits: true }).run(known, world);
  }

  toString = () => written('restart while cancelling', this.facts);
}
