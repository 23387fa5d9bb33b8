import type { AgentEvent } from '@spanwise/contracts/spanwise/event/v1/event';
import { type Run, RunStatus, SessionStatus } from '@spanwise/contracts/spanwise/session/v1/session';
import { brokenRules } from '../well-formed.ts';
import { enumName } from './enum-name.ts';
import { brokenMessages } from './message-invariants.ts';
import { textOfTurn } from './plan.ts';
import type { KnownRun } from './run-reducer.ts';
import type { StoredSession } from './stored-session.ts';
import { statusOf } from './world.ts';

/** What does not hold of a session whose runs are over; empty when all does. */
export function brokenInvariants(stored: StoredSession, known: readonly KnownRun[]): readonly string[] {
  return [
    ...brokenLog(stored),
    ...stored.runs.flatMap((run) => brokenRun(stored, run)),
    ...brokenPlans(stored, known),
    ...brokenMessages(stored),
  ];
}

/** I1, I3, I4. */
function brokenLog({ session, events }: StoredSession): readonly string[] {
  const seqs = events.map(({ seq }) => Number(seq));
  const epochs = events.map(({ epoch }) => epoch);
  return [
    ...unless(
      seqs.every((seq, index) => seq === index + 1),
      `I1: seqs are ${seqs.join(' ')}`,
    ),
    ...unless(
      seqs.length === Number(session.lastSeq),
      `I1: last_seq is ${session.lastSeq}, and ${seqs.length} events are listed`,
    ),
    ...unless(
      epochs.every((epoch, index) => epoch >= (epochs[index - 1] ?? 0n)),
      `I3: epochs are ${epochs.join(' ')}`,
    ),
    ...unless(session.status === SessionStatus.IDLE, `I4: the session is ${enumName(SessionStatus, session.status)}`),
    ...unless(session.activeRunId === '', `I4: ${session.activeRunId} is active`),
  ];
}

/** I2, I7, and that the run's row says what the log says. */
function brokenRun({ events }: StoredSession, run: Run): readonly string[] {
  const own = events.filter(({ runId }) => runId === run.id);
  const status = statusOf(run);
  if (own.length === 0) {
    const isDequeued = status === 'CANCELLED' && run.startSeq === 0n && run.terminalSeq === 0n && run.attempt === 0;
    return unless(isDequeued, `${run.id} has no events, and is ${status}`);
  }
  const terminals = own.filter(({ data }) => data.case === 'runEnd' || data.case === 'runError');
  const starts = own.filter(({ data }) => data.case === 'runStart');
  const attempts = own.filter(({ data }) => data.case === 'runAttempt');
  const broken = [
    ...unless(starts.length === 1 && own[0] === starts[0], `I2: ${starts.length} RUN_START`),
    ...unless(
      terminals.length === 1 && own.at(-1) === terminals[0],
      `I2: ${terminals.length} terminal events, or not last`,
    ),
    ...unless(run.startSeq === own[0]?.seq, `start_seq is ${run.startSeq}, and RUN_START is ${own[0]?.seq}`),
    ...unless(run.terminalSeq === own.at(-1)?.seq, `terminal_seq is ${run.terminalSeq}`),
    ...unless(toldBy(own.at(-1)) === status, `the log says ${toldBy(own.at(-1))}, the run ${status}`),
    ...unless(!(run.cancelRequested && status === 'COMPLETED'), 'I7: COMPLETED after an accepted cancel'),
    ...unless(run.cancelRequested || status !== 'CANCELLED', 'CANCELLED without a cancel'),
    ...unless(run.attempt === attempts.length + 1, `attempt is ${run.attempt} after ${attempts.length} RUN_ATTEMPT`),
    // Blocks and spans that an attempt leaves open are void: the rules are those of runs that were never taken over.
    ...(attempts.length === 0 ? brokenRules(own) : []),
  ];
  return broken.map((what) => `run ${run.id}: ${what}`);
}

function toldBy(event: AgentEvent | undefined): string {
  if (event?.data.case === 'runEnd') {
    return event.data.value.outcome === 1 ? 'COMPLETED' : 'CANCELLED';
  }
  return event?.data.case === 'runError' ? 'FAILED' : 'nothing';
}

/** I6 from the other side: the runs are those that were started; a completed one has said all that its model did. */
function brokenPlans({ runs, messages }: StoredSession, known: readonly KnownRun[]): readonly string[] {
  const ids = runs.map(({ id }) => id).sort();
  const expected = known.map(({ id }) => id).sort();
  const broken = [...unless(ids.join() === expected.join(), `I6: runs ${ids.join()} instead of ${expected.join()}`)];
  for (const { id, plan, cancel } of known) {
    const run = runs.find((each) => each.id === id);
    const said = messages
      .filter(({ runId, role }) => runId === id && role === 3)
      .map(({ parts }) => parts.map(({ part }) => (part.case === 'text' ? part.value.text : '')).join(''));
    const planned = [...plan.turns, 'end'].map((_, index) => textOfTurn(plan.tag, index));
    const whole = run?.status === RunStatus.COMPLETED ? planned : planned.slice(0, said.length);
    broken.push(
      ...unless(JSON.stringify(said) === JSON.stringify(whole), `${plan.tag} has said ${JSON.stringify(said)}`),
      ...unless(
        run?.cancelRequested === (cancel === 'yes'),
        `cancel of ${plan.tag}: ${cancel}, ${run?.cancelRequested}`,
      ),
    );
  }
  return broken;
}

function unless(holds: boolean, broken: string): readonly string[] {
  return holds ? [] : [broken];
}
