import { type Database, nobody } from './protocol.ts';

/** What a session replica remembers of the run that it drives. A crash loses it; whoever was fenced still has it. */
export interface Driver {
  run: number;
  epoch: number;
  expected: number;
  /** What it does next. */
  stage: string;
  /** Epoch of a run that it read as without owner; 0 when it has read none. */
  candidate: number;
  candidateRun: number;
  /** Its last transaction has an unknown outcome: it is made again before anything else is. */
  isUnsure: boolean;
  frozen: boolean;
}

/** What every configuration's state begins with. */
export interface World {
  db: Database;
  drivers: Driver[];
  /** Faults that may still happen. */
  faults: number;
  /** Told by a step that broke an invariant of steps, not of states. */
  broken: string;
}

export function newDriver(): Driver {
  return {
    run: nobody,
    epoch: 0,
    expected: 0,
    stage: '',
    candidate: 0,
    candidateRun: nobody,
    isUnsure: false,
    frozen: false,
  };
}

export function driverOf(world: World, d: number): Driver {
  return world.drivers[d] ?? newDriver();
}

/** Brings states that differ only in which driver is which to one form; so a trace may swap their numbers on its way. */
export function sortDrivers({ db, drivers }: World): void {
  const [first, second] = drivers;
  if (first === undefined || second === undefined || textOf(db, first, 0) <= textOf(db, second, 1)) {
    return;
  }
  drivers.reverse();
  for (const row of db.runs) {
    row.owner = row.owner === nobody ? nobody : 1 - row.owner;
  }
}

function textOf(db: Database, driver: Driver, d: number): string {
  const { run, epoch, expected, stage, candidate, candidateRun, isUnsure, frozen } = driver;
  const owned = db.runs.findIndex(({ owner }) => owner === d);
  return `${run},${epoch},${expected},${stage},${candidate},${candidateRun},${isUnsure},${frozen},${owned}`;
}

export function forget(driver: Driver): void {
  Object.assign(driver, { ...newDriver(), frozen: driver.frozen });
}

/** Makes the active run the driver's own, as the database has it now. */
export function hold(world: World, d: number, stage: string): void {
  const { active, epoch, lastSeq } = world.db;
  Object.assign(driverOf(world, d), { ...newDriver(), run: active, epoch, expected: lastSeq, stage });
}

/** Numbers of the drivers that are not frozen. */
export function awake(world: World): number[] {
  return world.drivers.flatMap((driver, d) => (driver.frozen ? [] : [d]));
}
