import { BusyPolicy } from '@spanwise/contracts/spanwise/session/v1/session';
import { expect } from 'vitest';
import { type Command, chosen, chosenRun, hasRuns, type Known, type Place, written } from './command.ts';
import { enumName } from './enum-name.ts';
import type { Turn } from './plan.ts';
import { type KnownRun, KnownSession } from './run-reducer.ts';
import { outcomeOf, statusOf, unknownId, type World } from './world.ts';

/** Runs that a session may have: less than its queue takes. */
const maxRuns = 8;
const maxSessions = 2;

/** Opens a session; the same request opens no other. */
export class CreateSession implements Command {
  check = ({ sessions }: Known) => sessions.length < maxSessions;

  async run({ sessions }: Known, world: World): Promise<void> {
    const requestId = world.newTag();
    const { session } = await world.sessions.createSession({ requestId });
    const again = await world.sessions.createSession({ requestId });
    expect(again.session?.id).toBe(session?.id);
    sessions.push(new KnownSession(session?.id ?? ''));
  }

  toString = () => 'create';
}

/** Starts two runs at once where one may be active: only one of them is started. */
export class StartTwo implements Command {
  readonly facts: Pick<Place, 'session'>;

  constructor(facts: StartTwo['facts']) {
    this.facts = facts;
  }

  check = (known: Known) => mayTakeRun(known, this.facts.session);

  async run({ sessions }: Known, world: World): Promise<void> {
    const session = chosen(sessions, this.facts.session);
    const requests = [world.newTag(), world.newTag()].map((tag) => ({
      sessionId: session.id,
      requestId: `request of ${tag}`,
      plan: { tag, turns: [] },
    }));
    const mustStart = !session.isDeleted && !session.mayBeBusy;
    const mayStart = !session.isDeleted && !session.mustBeBusy;
    const outcomes = await Promise.all(requests.map((request) => outcomeOf(world.start(request))));
    const started = outcomes.flatMap(({ response }, index) => (response?.run ? [{ run: response.run, index }] : []));
    const reasons = outcomes.flatMap(({ reason }) => reason ?? []);
    expect(reasons).toEqual(reasons.map(() => (session.isDeleted ? 'SESSION_NOT_FOUND' : 'SESSION_BUSY')));
    expect(started.length, 'runs started').toBeGreaterThanOrEqual(mustStart ? 1 : 0);
    expect(started.length, 'runs started').toBeLessThanOrEqual(mayStart ? 1 : 0);
    for (const { run, index } of started) {
      const known = startedRun(run.id, requests[index] ?? expect.unreachable(), ['RUNNING']);
      session.runs.push(known);
      session.saw(known, statusOf(run), run.cancelRequested);
    }
  }

  toString = () => written('start two', this.facts);
}

export interface StartFacts {
  readonly session: number;
  readonly policy: BusyPolicy;
  readonly turns: readonly Turn[];
  /** Equal requests at once. */
  readonly times: number;
  /** Waits until the model is asked. */
  readonly settles: boolean;
  /** Name of a run whose request was made before, and was perhaps lost; left out = a new one. */
  readonly tag?: string;
}

/** Whether the session of a place may have another run. */
export function mayTakeRun({ sessions }: Known, place: number): boolean {
  return sessions.length > 0 && chosen(sessions, place).runs.length < maxRuns;
}

/** Starts a run. */
export class Start implements Command {
  readonly facts: StartFacts;

  constructor(facts: StartFacts) {
    this.facts = facts;
  }

  check = (known: Known) => mayTakeRun(known, this.facts.session);

  /** `runId`: the run that an earlier answer told. */
  async run({ sessions }: Known, world: World, runId?: string): Promise<void> {
    const { policy, turns, times, settles } = this.facts;
    const session = chosen(sessions, this.facts.session);
    const plan = { tag: this.facts.tag ?? world.newTag(), turns };
    const request = { sessionId: session.id, requestId: `request of ${plan.tag}`, plan, policy };
    const outcomes = await Promise.all(Array.from({ length: times }, () => outcomeOf(world.start(request))));
    const reasons = outcomes.flatMap(({ response, ...refusal }) => (response === undefined ? [refusal] : []));
    const runs = outcomes.flatMap(({ response }) => response?.run ?? []);
    if (session.isDeleted) {
      expect(outcomes.map(({ reason }) => reason)).toEqual(outcomes.map(() => 'SESSION_NOT_FOUND'));
      return;
    }
    const mayReject = policy !== BusyPolicy.ENQUEUE && policy !== BusyPolicy.INTERRUPT;
    expect(reasons.map(({ reason }) => reason)).toEqual(reasons.map(() => 'SESSION_BUSY'));
    expect(reasons.length === 0 || (mayReject && session.mayBeBusy), 'refused as busy').toBe(true);
    const [first] = runs;
    if (first === undefined) {
      reasons.forEach((refusal) => session.sawActive('facts' in refusal ? (refusal.facts?.run_id ?? '') : ''));
      return;
    }
    expect(mayReject && session.mustBeBusy, 'started in a busy session').toBe(false);
    expect(new Set([...runs.map(({ id }) => id), runId ?? first.id]), 'the same request, the same run').toHaveLength(1);
    const mustWait = policy === BusyPolicy.ENQUEUE && session.mustBeBusy;
    if (policy === BusyPolicy.INTERRUPT) {
      session.interrupt();
    }
    const run = startedRun(first.id, request, mustWait ? ['QUEUED'] : mayReject ? ['RUNNING'] : ['QUEUED', 'RUNNING']);
    session.runs.push(run);
    runs.forEach((each) => session.saw(run, statusOf(each), each.cancelRequested));
    if (settles) {
      await world.settle(session, run);
    }
  }

  toString = () => written('start', { ...this.facts, policy: enumName(BusyPolicy, this.facts.policy) });
}

/** A run that was just started, and that its model has not answered yet. */
export function startedRun(
  id: string,
  { requestId, plan }: Pick<KnownRun, 'requestId' | 'plan'>,
  possible: readonly ('QUEUED' | 'RUNNING')[],
): KnownRun {
  return { id, requestId, plan, possible: new Set(possible), cancel: 'no', gates: 0, answers: new Map(), kills: 0 };
}

/** Makes a request once more, with the same body or another. */
export class StartAgain implements Command {
  readonly facts: Place & { readonly differs: boolean };

  constructor(facts: StartAgain['facts']) {
    this.facts = facts;
  }

  check = hasRuns;

  async run(known: Known, world: World): Promise<void> {
    const { session, run } = chosenRun(known, this.facts);
    const plan = this.facts.differs ? { ...run.plan, tag: `not ${run.plan.tag}` } : run.plan;
    const { response, reason } = await outcomeOf(
      world.start({ sessionId: session.id, requestId: run.requestId, plan }),
    );
    if (session.isDeleted) {
      expect(reason).toBe('SESSION_NOT_FOUND');
    } else if (this.facts.differs) {
      expect(reason).toBe('REQUEST_ID_REUSED');
    } else {
      expect({ reason, id: response?.run?.id }).toEqual({ reason: undefined, id: run.id });
      session.saw(run, response?.run === undefined ? 'FAILED' : statusOf(response.run), response?.run?.cancelRequested);
    }
  }

  toString = () => written('again', this.facts);
}

/** Lets the model of a run go on through some gates. */
export class Release implements Command {
  readonly facts: Place & { readonly gates: number; readonly settles: boolean };

  constructor(facts: Release['facts']) {
    this.facts = facts;
  }

  check = hasRuns;

  async run(known: Known, world: World): Promise<void> {
    const { session, run } = chosenRun(known, this.facts);
    run.gates += this.facts.gates;
    world.model.release(run.plan.tag, this.facts.gates);
    if (this.facts.settles && !session.isDeleted) {
      await world.settle(session, run);
      await world.look(session, run);
    }
  }

  toString = () => written('release', this.facts);
}

/** Reads a session and its runs. */
export class Look implements Command {
  readonly facts: Pick<Place, 'session'>;

  constructor(facts: Look['facts']) {
    this.facts = facts;
  }

  check = ({ sessions }: Known) => sessions.length > 0;

  async run({ sessions }: Known, world: World): Promise<void> {
    const session = chosen(sessions, this.facts.session);
    const { response, reason } = await outcomeOf(world.sessions.getSession({ sessionId: session.id }));
    const missing = await outcomeOf(world.sessions.getRun({ sessionId: session.id, runId: unknownId }));
    expect(missing.reason).toBe('RUN_NOT_FOUND');
    if (session.isDeleted) {
      expect(reason).toBe('SESSION_NOT_FOUND');
      return;
    }
    const { activeRunId, status } = response?.session ?? expect.unreachable(`GetSession answers ${reason}`);
    const active = (['RUNNING', 'FINISHING'] as const).slice();
    if (activeRunId === '') {
      expect(status, 'the status of a session without an active run').toBe(1);
      session.sawIdle();
    } else {
      session.sawActive(activeRunId, status === 3 ? ['WAITING'] : active);
    }
    for (const run of session.runs) {
      await world.look(session, run);
    }
  }

  toString = () => written('look', this.facts);
}
