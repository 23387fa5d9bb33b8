import { DomainError } from '@spanwise/kernel';

/** Another transaction has changed what this one had read. It is run again; when that never ends, it is an outage. */
export class Overtaken extends DomainError {
  constructor(what: string) {
    super('unavailable', 'DISK_UNAVAILABLE', `The disk ${what} is too busy: try again.`, { facts: { disk: what } });
  }
}
