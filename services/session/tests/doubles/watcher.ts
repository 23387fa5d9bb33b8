import type { FollowStep } from '../../src/application/follow-log.ts';
import type { RunSessionStep } from '../../src/application/run-session.ts';
import type { AgentEvent } from '../../src/domain/event/agent-event.ts';
import { brief } from './said.ts';

/** Reads a stream of steps to its end, and keeps them. */
export class Watcher {
  readonly steps: RunSessionStep[] = [];
  readonly ended: Promise<'ended'>;
  readonly #begun = Promise.withResolvers<void>();
  readonly #abort = new AbortController();

  constructor(open: (signal: AbortSignal) => AsyncIterable<FollowStep | RunSessionStep>) {
    this.ended = this.#read(open(this.#abort.signal));
    // Whoever cares awaits it.
    this.ended.catch(() => undefined).finally(() => this.#begun.resolve());
  }

  /** Resolves with the first step, or with the end. */
  get begun(): Promise<void> {
    return this.#begun.promise;
  }

  get events(): readonly AgentEvent[] {
    return this.steps.flatMap((step) => (step.kind === 'events' ? step.events : []));
  }

  /** Events in one line each, other steps by their kind. */
  get told(): readonly string[] {
    return this.steps.flatMap((step) => {
      switch (step.kind) {
        case 'events':
          return step.events.map(brief);
        case 'caught-up':
          return [`caught up at ${step.seq}`];
        case 'heartbeat':
          return [`heartbeat at ${step.lastSeq}`];
        case 'run':
          return [`run ${step.run.status}`];
        case 'handoff':
          return [`handoff at ${step.afterSeq}${step.retryAfterMs === undefined ? '' : ` in ${step.retryAfterMs} ms`}`];
      }
    });
  }

  /** Ends the stream, as a client does that leaves. */
  async leave(): Promise<void> {
    this.#abort.abort();
    await this.ended;
  }

  async #read(steps: AsyncIterable<FollowStep | RunSessionStep>): Promise<'ended'> {
    for await (const step of steps) {
      this.steps.push(step);
      this.#begun.resolve();
    }
    return 'ended';
  }
}
