import { eventTimeMs, type UnplacedEvent } from '../event/agent-event.ts';

/** From when an agent's own time counts: its executors work on one allowance, and waiting for the user uses none of it. */
export class WorkTime {
  #beginMs: number | undefined;
  #waitingSinceMs: number | undefined;

  /** When an executor first began, moved on by what the run has waited since. Undefined before that. */
  get beginMs(): number | undefined {
    return this.#beginMs;
  }

  /** Takes note of an event of the run. */
  note({ span, time, data }: UnplacedEvent): void {
    const atMs = Math.floor(eventTimeMs(time));
    // The root span is the driver's: an executor has begun with the first span below it.
    if (data.case === 'spanStart' && span !== undefined && span.par !== '') {
      this.#beginMs ??= atMs;
    } else if (data.case === 'runWaiting') {
      this.#waitingSinceMs = atMs;
    } else if (data.case === 'runAttempt') {
      if (this.#beginMs !== undefined && this.#waitingSinceMs !== undefined) {
        this.#beginMs += Math.max(0, atMs - this.#waitingSinceMs);
      }
      this.#waitingSinceMs = undefined;
    }
  }
}
