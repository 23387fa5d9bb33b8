import { expect } from 'vitest';
import { gatesPerTurn } from './held-model.ts';
import { asks, type Plan } from './plan.ts';

export type Status = 'QUEUED' | 'RUNNING' | 'WAITING' | 'FINISHING' | 'COMPLETED' | 'CANCELLED' | 'FAILED';

/** What is known of a run. */
export interface KnownRun {
  readonly id: string;
  readonly requestId: string;
  readonly plan: Plan;
  /** Statuses of which it had one when it was last looked at: several, because it goes on meanwhile. */
  possible: ReadonlySet<Status>;
  /** Whether a cancel was accepted. */
  cancel: 'no' | 'maybe' | 'yes';
  /** Gates of the model that it was let through. */
  gates: number;
  /** Answers that were taken, by interrupt. */
  readonly answers: Map<string, string>;
  /** Times that its driver was killed while it was not over. */
  kills: number;
}

/** Statuses in which nothing more becomes of a run. */
const overStatuses: readonly Status[] = ['COMPLETED', 'CANCELLED', 'FAILED'];

export function isOver(status: Status): boolean {
  return overStatuses.includes(status);
}

/** What is known of a session: the reference that its answers are compared with. */
export class KnownSession {
  readonly id: string;
  /** In the order in which they were started, which is the order of the queue. */
  readonly runs: KnownRun[] = [];
  isDeleted = false;

  constructor(id: string) {
    this.id = id;
  }

  /** Statuses that a run may have now. */
  now(run: KnownRun): ReadonlySet<Status> {
    const found = new Set(run.possible);
    for (const status of found) {
      for (const next of this.#next(run, status)) {
        found.add(next);
      }
    }
    return found;
  }

  mayBeOver(run: KnownRun): boolean {
    return [...this.now(run)].some(isOver);
  }

  /** Whether a run is certainly active. */
  get mustBeBusy(): boolean {
    return this.runs.some((run) => !this.mayBeOver(run));
  }

  get mayBeBusy(): boolean {
    return this.runs.some((run) => [...this.now(run)].some((status) => !isOver(status)));
  }

  /** A run was seen in a status: it must be possible, and says something of the runs before it. */
  saw(run: KnownRun, status: Status, isCancelRequested?: boolean): void {
    this.sawOneOf(run, [status]);
    if (isCancelRequested !== undefined) {
      const known = { no: [false], maybe: [false, true], yes: [true] }[run.cancel];
      expect(known, `cancel_requested of ${run.plan.tag}`).toContain(isCancelRequested);
      // The flag is set before a command is answered, so it is what it is.
      run.cancel = isCancelRequested ? 'yes' : 'no';
    }
    // A run may be cancelled in the queue as well.
    if (status !== 'QUEUED' && status !== 'CANCELLED') {
      this.#othersBeforeAreOver(run);
    }
  }

  /** A run was seen in one of several statuses. */
  sawOneOf(run: KnownRun, statuses: readonly Status[]): void {
    const now = [...this.now(run)];
    const possible = now.filter((status) => statuses.includes(status));
    expect(possible, `${run.plan.tag} is ${statuses.join(' or ')}, and could only be ${now.join(' or ')}`).not.toEqual(
      [],
    );
    run.possible = new Set(possible);
  }

  /** The session was seen without an active run. */
  sawIdle(): void {
    this.runs.forEach((run) => this.sawOneOf(run, overStatuses));
  }

  /** A run was seen to be the active one. */
  sawActive(runId: string, statuses: readonly Status[] = ['RUNNING', 'WAITING', 'FINISHING']): void {
    const active = this.runs.find(({ id }) => id === runId);
    expect(active?.id, 'the active run is one that was started').toBe(runId);
    if (active !== undefined) {
      this.sawOneOf(active, statuses);
      this.#othersBeforeAreOver(active);
    }
  }

  /** A cancel was asked for, and nobody knows whether it was heard. */
  mayBeCancelled(run: KnownRun): void {
    const now = this.now(run);
    run.cancel = run.cancel === 'yes' || [...now].every(isOver) ? run.cancel : 'maybe';
    run.possible = now.has('QUEUED') ? new Set([...now, 'CANCELLED']) : now;
  }

  /** Busy policy interrupt: the active run and all that wait are cancelled, unless it is too late. */
  interrupt(): void {
    for (const run of this.runs) {
      const now = this.now(run);
      const isCertain = [...now].every((status) => ['QUEUED', 'RUNNING', 'WAITING'].includes(status));
      const isUntouched = [...now].every(isOver);
      run.cancel = isCertain ? 'yes' : isUntouched || run.cancel === 'yes' ? run.cancel : 'maybe';
      run.possible = new Set([...now].map((status) => (status === 'QUEUED' ? 'CANCELLED' : status)));
    }
  }

  #othersBeforeAreOver(run: KnownRun): void {
    for (const before of this.runs.slice(0, this.runs.indexOf(run))) {
      const over = [...this.now(before)].filter(isOver);
      expect(over, `${run.plan.tag} has begun, and ${before.plan.tag} before it is not over`).not.toEqual([]);
      before.possible = new Set(over);
    }
  }

  #next(run: KnownRun, status: Status): readonly Status[] {
    const { cancel, gates, plan, kills } = run;
    const mayGoOn = cancel !== 'yes';
    const cancelled: readonly Status[] = cancel === 'no' ? [] : ['CANCELLED'];
    switch (status) {
      case 'QUEUED':
        return this.runs.slice(0, this.runs.indexOf(run)).every((before) => this.mayBeOver(before)) ? ['RUNNING'] : [];
      case 'RUNNING': {
        const asking = plan.turns.findIndex(asks);
        const mayWait = mayGoOn && asking >= 0 && gates >= gatesPerTurn * (asking + 1);
        const mayFinish = mayGoOn && gates >= gatesPerTurn * (plan.turns.length + 1);
        const poisoned: readonly Status[] = kills >= 3 ? ['FAILED'] : [];
        return [
          ...cancelled,
          ...(mayWait ? ['WAITING' as const] : []),
          ...(mayFinish ? ['FINISHING' as const] : []),
          ...poisoned,
        ];
      }
      case 'WAITING':
        return run.answers.size > 0 || cancel !== 'no' ? ['RUNNING', ...cancelled] : [];
      case 'FINISHING':
        return ['COMPLETED'];
      default:
        return [];
    }
  }
}
