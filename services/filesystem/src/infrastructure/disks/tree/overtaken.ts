import { DomainError } from '@spanwise/kernel';

/** Another transaction has changed what this one had read. It is run again; when that never ends, it is an outage. */
export class Overtaken extends DomainError {
  constructor(what: string) {
    super('unavailable', 'DISK_UNAVAILABLE', `The disk ${what} is too busy: try again.`, { facts: { disk: what } });
  }
}

/** Makes an attempt again when another transaction has come in between, `attempts` times at most. */
export async function againWhenOvertaken<Result>(attempts: number, attempt: () => Promise<Result>): Promise<Result> {
  for (let made = 1; ; made += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Overtaken) || made === attempts) {
        throw error;
      }
    }
  }
}
