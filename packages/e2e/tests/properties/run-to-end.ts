import { BusyPolicy, RunStatus } from '@spanwise/contracts/spanwise/session/v1/session';
import { expect } from 'vitest';
import type { Known } from './command.ts';
import { takeAnswer } from './end-commands.ts';
import { compareFollowers } from './follower-invariants.ts';
import { gatesPerTurn } from './held-model.ts';
import { brokenInvariants } from './log-invariants.ts';
import { isOver, type KnownRun, type KnownSession } from './run-reducer.ts';
import { mustCome } from './soon.ts';
import { startedRun } from './start-commands.ts';
import { readSession } from './stored-session.ts';
import { outcomeOf, statusOf, type World } from './world.ts';

/** Time for all runs of a session to come to their end once nothing holds them. */
const endMs = 15_000;
/** Enough gates for any run, over any number of dispatches. */
const allGates = 1000;

/** Brings all that a sequence began to its end, and checks what must hold then. */
export async function runToEnd({ sessions }: Known, world: World): Promise<void> {
  for (const { runs } of sessions) {
    runs.forEach((run) => letGo(run, world));
  }
  for (const session of sessions) {
    if (session.isDeleted) {
      const { reason } = await outcomeOf(world.sessions.listEvents({ sessionId: session.id }));
      expect(reason).toBe('SESSION_NOT_FOUND');
      continue;
    }
    await endRuns(session, world);
    await takeNext(session, world);
    const stored = await readSession(world.sessions, session.id);
    expect(brokenInvariants(stored, session.runs)).toEqual([]);
    await compareFollowers(stored, world.followers);
  }
  expect(world.model.violations).toEqual([]);
}

function letGo(run: KnownRun, world: World): void {
  run.gates += allGates;
  world.model.release(run.plan.tag, allGates);
}

/** Answers what runs wait for until all are over. */
async function endRuns(session: KnownSession, world: World): Promise<void> {
  const stuck = () => session.runs.map((run) => `${run.plan.tag} ${[...run.possible].join('/')}`).join(', ');
  const areOver = async () => {
    let isAllOver = true;
    for (const known of session.runs) {
      const run = await world.look(session, known);
      isAllOver &&= isOver(statusOf(run));
      if (run.status === RunStatus.WAITING) {
        for (const { id } of run.interrupts) {
          const answer = { sessionId: session.id, runId: run.id, interruptId: id, answerJson: '{"answers":["late"]}' };
          await takeAnswer(session, known, id, outcomeOf(world.sessions.answerInterrupt(answer)));
        }
      }
    }
    return isAllOver;
  };
  await mustCome(() => `runs come to their end: ${stuck()}`, areOver, endMs);
}

/** The session is not stuck: it takes a next run, and completes it. */
async function takeNext(session: KnownSession, world: World): Promise<void> {
  const plan = { tag: world.newTag(), turns: [] };
  const request = { sessionId: session.id, requestId: plan.tag, plan };
  const { run } = await world.start({ ...request, policy: BusyPolicy.REJECT });
  const next = startedRun(run?.id ?? '', request, ['RUNNING']);
  session.runs.push(next);
  next.gates = gatesPerTurn;
  world.model.release(plan.tag, gatesPerTurn);
  await mustCome(
    () => 'the session completes a next run',
    async () => (await world.look(session, next)).status === RunStatus.COMPLETED,
    endMs,
  );
}
