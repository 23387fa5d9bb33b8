import type { EventRow, Evidence, RunRow } from '../evidence/evidence.ts';
import type { Violation } from './violation.ts';

/** I1: the seqs of a session are first_seq to last_seq without gap or duplicate. */
export function checkSequence({ sessions, events }: Evidence): readonly Violation[] {
  const bySession = Map.groupBy(events, ({ sessionId }) => sessionId);
  return sessions.flatMap(({ id, firstSeq, lastSeq }) => {
    const rows = bySession.get(id) ?? [];
    const wrong = rows.find(({ seq, event }, index) => seq !== firstSeq + index || Number(event.seq) !== seq);
    const missing = lastSeq - firstSeq + 1 - rows.length;
    return [
      ...(wrong === undefined ? [] : [violation('I1', `session ${id} has seq ${wrong.seq} out of its place`)]),
      ...(missing === 0 ? [] : [violation('I1', `session ${id} should have ${missing} more events`)]),
    ];
  });
}

/** I2: a run with RUN_START has exactly one terminal event iff its status is terminal, and nothing of it comes after. */
export function checkTerminals({ runs, events }: Evidence): readonly Violation[] {
  const byRun = Map.groupBy(events, ({ runId }) => runId);
  return runs.flatMap((run) => terminalFaults(run, byRun.get(run.id) ?? []).map((what) => violation('I2', what)));
}

function terminalFaults({ id, status, terminalSeq }: RunRow, rows: readonly EventRow[]): readonly string[] {
  const isOver = status === 'COMPLETED' || status === 'CANCELLED' || status === 'FAILED';
  const starts = rows.filter(({ event }) => event.data.case === 'runStart').length;
  const terminals = rows.filter(({ event }) => event.data.case === 'runEnd' || event.data.case === 'runError');
  const faults: string[] = [];
  if (starts > 1 || (starts === 0 && rows.length > 0)) {
    faults.push(`run ${id} has ${starts} RUN_STARTs`);
  }
  if (starts === 0) {
    const mayHaveNone = status === 'QUEUED' || status === 'CANCELLED';
    return mayHaveNone ? faults : [...faults, `run ${id} is ${status} without RUN_START`];
  }
  if (terminals.length !== (isOver ? 1 : 0)) {
    faults.push(`run ${id} is ${status} and has ${terminals.length} terminal events`);
  }
  const [terminal] = terminals;
  if (terminal !== undefined && (terminal !== rows.at(-1) || terminal.seq !== terminalSeq)) {
    faults.push(`run ${id} goes on after its terminal event ${terminal.seq} (its row says ${terminalSeq})`);
  }
  return [...faults, ...outcomeFaults(id, status, terminal)];
}

function outcomeFaults(id: string, status: RunRow['status'], terminal: EventRow | undefined): readonly string[] {
  const data = terminal?.event.data;
  const told = data?.case === 'runEnd' ? (data.value.outcome === 1 ? 'COMPLETED' : 'CANCELLED') : 'FAILED';
  return data === undefined || told === status ? [] : [`run ${id} is ${status} and its log says ${told}`];
}

/**
 * I3: the epoch never falls along seq, it rises with every RUN_ATTEMPT and only with one (or with RUN_START, or with the
 * answers that a resumed run is told first), the session has the highest, and no service has met a second writer.
 */
export function checkEpochs({ sessions, events, secondWriters }: Evidence): readonly Violation[] {
  const bySession = Map.groupBy(events, ({ sessionId }) => sessionId);
  const alerts = secondWriters === 0 ? [] : [violation('I3', `${secondWriters} epochs had a second writer`)];
  const found = sessions.flatMap(({ id, epoch }) => {
    const rows = bySession.get(id) ?? [];
    const bad = rows.find((row, index) => isBadEpoch(row, rows[index - 1], () => rows[beforeAnswers(rows, index)]));
    const last = rows.at(-1)?.epoch ?? 0;
    return [
      ...(bad === undefined ? [] : [violation('I3', `session ${id}: epoch ${bad.epoch} at seq ${bad.seq}`)]),
      ...(last > epoch ? [violation('I3', `session ${id} is at epoch ${epoch}, its log at ${last}`)] : []),
    ];
  });
  return [...alerts, ...found];
}

/** Index of the last event that is no INTERRUPT_ANSWERED: a claim tells the answers that it takes before its attempt. */
function beforeAnswers(rows: readonly EventRow[], index: number): number {
  let before = index - 1;
  while (rows[before]?.event.data.case === 'interruptAnswered') {
    before -= 1;
  }
  return before;
}

/** What an epoch may begin with. */
const beginnings: ReadonlySet<string | undefined> = new Set(['runStart', 'runAttempt', 'interruptAnswered']);

function isBadEpoch(
  { epoch, event }: EventRow,
  before: EventRow | undefined,
  ofLastClaim: () => EventRow | undefined,
): boolean {
  const { case: kind } = event.data;
  if (Number(event.epoch) !== epoch) {
    return true;
  }
  if (before === undefined || epoch < before.epoch) {
    return before !== undefined;
  }
  return epoch > before.epoch ? !beginnings.has(kind) : kind === 'runAttempt' && epoch === ofLastClaim()?.epoch;
}

/** Names an invariant that does not hold. */
export function violation(invariant: Violation['invariant'], what: string): Violation {
  return { invariant, what };
}
