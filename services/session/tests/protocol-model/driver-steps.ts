import type { Take } from './checker.ts';
import { type Driver, driverOf, forget, hold, type World } from './driver.ts';
import { append, beginFinishing, type Decision, finish, type Guards, type Outcome, type Write } from './protocol.ts';

/** A driver's transaction: its answer comes, or is lost after the commit, so that the driver makes it again. */
export function transact<State extends World>(
  state: State,
  take: Take<State>,
  d: number,
  action: string,
  write: (next: State) => Outcome | Decision,
  then: (next: State, driver: Driver, outcome: Outcome | Decision) => void,
): void {
  const checked = (next: State) => {
    const isCurrent = next.db.epoch === driverOf(next, d).epoch;
    const outcome = write(next);
    if (outcome === 'committed' && !isCurrent) {
      next.broken = 'a driver wrote that was fenced';
    }
    return outcome;
  };
  take(action, d, (next) => {
    const outcome = checked(next);
    const driver = driverOf(next, d);
    if (outcome === 'stranger') {
      next.broken = 'an epoch has two writers';
    } else if (outcome === 'fenced') {
      forget(driver);
    } else {
      driver.isUnsure = false;
      then(next, driver, outcome);
    }
  });
  if (state.faults > 0) {
    take('lose the answer', `${action} ${d}`, (next) => {
      next.faults -= 1;
      driverOf(next, d).isUnsure = true;
      return checked(next) === 'committed';
    });
  }
}

/** Appends what the driver has to say, shows it to watchers, and goes on at `stage`. `change` is in the transaction too. */
export function appendStep<State extends World>(
  state: State,
  guards: Guards,
  take: Take<State>,
  d: number,
  events: readonly string[],
  stage: string,
  change: (next: State) => void = () => undefined,
): void {
  const { run, epoch, expected } = driverOf(state, d);
  const write = { run, epoch, expected, events };
  const action = `append ${events.join()}`;
  const rest = (next: State) => () => {
    change(next);
    return true;
  };
  if (!guards.publishesAfterCommit) {
    take('publish', d, (next) => show(next, write));
  }
  transact(
    state,
    take,
    d,
    action,
    (next) => append(next.db, guards, write, rest(next)),
    (next, driver) => {
      show(next, write);
      driver.expected += events.length;
      driver.stage = stage;
    },
  );
}

/** RUNNING → FINISHING, then on at `decided`; at `stop` when a cancel came first. `change` is in the transaction too. */
export function decideStep<State extends World>(
  state: State,
  guards: Guards,
  take: Take<State>,
  d: number,
  decided: string,
  change: (next: State) => void = () => undefined,
): void {
  const { run, epoch } = driverOf(state, d);
  const then = (_next: State, driver: Driver, outcome: Outcome | Decision) => {
    driver.stage = outcome === 'cancelled' ? 'stop' : decided;
  };
  const decide = (next: State) => {
    const outcome = beginFinishing(next.db, guards, run, epoch);
    if (outcome === 'committed') {
      change(next);
    }
    return outcome;
  };
  transact(state, take, d, 'decide', decide, then);
}

/** How a run is ended. */
interface Ending<State> {
  readonly status: 'COMPLETED' | 'CANCELLED' | 'FAILED';
  /** What is appended before the terminal event. */
  readonly events?: readonly string[];
  /** The rest of the transaction. */
  readonly promote?: (next: State) => void;
  /** Another guard of the transaction. */
  readonly may?: (next: State) => boolean;
  /** Where the driver goes on with the run that was promoted. */
  readonly stageOf?: (next: State) => string;
}

/** Ends the run; goes on with the one that was promoted, or forgets it. */
export function finishStep<State extends World>(
  state: State,
  guards: Guards,
  take: Take<State>,
  d: number,
  { status, events = [], promote = () => undefined, may = () => true, stageOf = () => '' }: Ending<State>,
): void {
  const { run, epoch, expected } = driverOf(state, d);
  const write = { run, epoch, expected, events: [...events, 'end'] };
  transact(
    state,
    take,
    d,
    `finish ${status}`,
    (next) =>
      finish(
        next.db,
        guards,
        write,
        status,
        () => promote(next),
        () => may(next),
      ),
    (next, driver, outcome) => {
      show(next, write);
      if (outcome === 'committed' && next.db.runs[next.db.active]?.owner === d) {
        hold(next, d, stageOf(next));
      } else {
        forget(driver);
      }
    },
  );
}

/** I10: what a watcher sees is in the log. */
export function show(world: World, { run, epoch, expected, events }: Write): void {
  for (const [index, what] of events.entries()) {
    if (!world.db.log.includes(`${expected + index + 1} ${run} ${epoch} ${what}`)) {
      world.broken = 'I10 an event was shown that the log lacks';
    }
  }
}
