import { Role, ToolOutcome } from '@spanwise/contracts/spanwise/type/v1/message';
import { describe, expect, test } from 'vitest';
import { fileFaults } from '../../tests/doubles/file-faults.ts';
import {
  context,
  contextRow,
  effectLine,
  eventRow,
  events,
  goodEvidence,
  run,
  session,
  viewOf,
} from '../../tests/doubles/good-evidence.ts';
import { goodFiles, goodRollback, resultRow, withEvents } from '../../tests/doubles/good-files.ts';
import type { HistoryEntry } from '../clients/history.ts';
import type { Evidence } from '../evidence/evidence.ts';
import { checkAll } from './check-all.ts';
import type { Invariant } from './violation.ts';

const timed = { atMs: 1000, monotonicMs: 0, client: 'client' };
const started = (runId: string): HistoryEntry => ({
  ...{ ...timed, kind: 'started', sessionId: 'session', requestId: 'script-1' },
  runId,
});
const cancelled: HistoryEntry = {
  ...{ ...timed, kind: 'cancelled', sessionId: 'session', runId: 'run', isAccepted: true },
  ...{ isWaited: false, askedAtMs: 0, receipt: [] },
};
const call: HistoryEntry = {
  ...{ ...timed, kind: 'call', rpc: 'GetRun', tookMs: 10, deadlineMs: 1000, code: 0, reason: '' },
};
const probe: HistoryEntry = {
  ...{ ...timed, kind: 'probe', rpc: 'GetRun', sessionId: 'session', code: 5, leakedBytes: 0 },
};
const listed = (...seqs: number[]): HistoryEntry => ({ ...timed, kind: 'listed', sessionId: 'session', seqs });
const exit = { process: 'session-0', atMs: 0, code: 1, signal: null, lastWords: 'ouch' };
const leftover = { process: 'session-0', socketsBefore: 20, sockets: 30, children: 0 };
const cost = { stalled: 20, othersP99MsBefore: 20, othersP99Ms: 21, memoryMiB: 5 };

const usage = { case: 'usage', value: {} } as const;

const without = (seq: number) => events.filter((row) => row.seq !== seq);
const replaced = (...rows: readonly ReturnType<typeof eventRow>[]) =>
  events.map((row) => rows.find(({ seq }) => seq === row.seq) ?? row);
const text = (value: string) => [{ part: { case: 'text' as const, value: { text: value } } }];

describe('the checkers', () => {
  test('find nothing wrong with a run that went well, and with what clients may see and do', () => {
    const history = [started('run'), started('run'), call, probe, listed(1, 2, 3)];
    const leftovers = [leftover];
    const views = [viewOf(events), viewOf(events.slice(5))];
    const exits = [{ ...exit, isMeant: true }];
    expect(checkAll(goodEvidence({ history, leftovers, views, exits, watcherCost: cost }))).toEqual([]);
  });

  test('let a run go on that waits for its user', () => {
    const waiting = goodEvidence({
      sessions: [{ ...session, status: 'WAITING', activeRunId: 'run', lastSeq: 10 }],
      runs: [{ ...run, status: 'WAITING', terminalSeq: 0 }],
      events: events.slice(0, 10),
      views: [],
    });
    expect(checkAll(waiting)).toEqual([]);
  });

  test('find nothing wrong with files that are published, rolled back, or overwritten by a later run', () => {
    expect(checkAll(goodEvidence(goodFiles()))).toEqual([]);
    expect(checkAll(goodEvidence(goodRollback()))).toEqual([]);
    expect(checkAll(goodEvidence(goodRollback(true)))).toEqual([]);
  });

  test('let a file be there or not that nobody knows whether it was written', () => {
    const events = withEvents(resultRow(8, 'writes', ToolOutcome.UNKNOWN, ''), eventRow(10, usage, 2));
    expect(checkAll(goodEvidence(goodFiles({ events, files: [] })))).toEqual([]);
    expect(
      checkAll(goodEvidence(goodFiles({ events: withEvents(resultRow(8, 'writes', ToolOutcome.UNKNOWN, '')) }))),
    ).toEqual([]);
  });

  test('let a claim tell the answers that it takes before its attempt', () => {
    const answered = eventRow(6, { case: 'interruptAnswered', value: {} }, 2);
    const resumed = goodEvidence({ events: replaced(answered), views: [], effects: [] });
    expect(checkAll(resumed)).toEqual([]);
  });

  const planted: readonly (readonly [Invariant, string, Partial<Evidence>])[] = [
    ['I1', 'a gap in the log', { events: without(4) }],
    ['I1', 'a log that is too short', { sessions: [{ ...session, lastSeq: 12 }] }],
    ['I1', 'a seq twice', { events: [...events.slice(0, 4), ...events.slice(3)] }],
    ['I1', 'an event that says another seq', { events: replaced({ ...eventRow(7, usage), seq: 6 }) }],
    ['I2', 'no terminal event', { events: events.slice(0, 10), sessions: [{ ...session, lastSeq: 10 }] }],
    ['I2', 'two terminal events', { events: replaced(eventRow(10, { case: 'runEnd', value: { outcome: 1 } }, 2)) }],
    ['I2', 'something after the end', { events: [...events, eventRow(12, usage, 2)] }],
    ['I2', 'another end than the row says', { runs: [{ ...run, status: 'CANCELLED' }] }],
    ['I2', 'two beginnings', { events: replaced(eventRow(2, { case: 'runStart', value: { attempt: 1 } })) }],
    ['I2', 'a run that has ended and never begun', { events: [], sessions: [{ ...session, lastSeq: 0 }] }],
    ['I3', 'an event that says another epoch', { events: replaced({ ...eventRow(6, usage, 2), epoch: 1 }) }],
    ['I3', 'an epoch that falls', { events: replaced(eventRow(9, { case: 'message', value: {} }, 1)) }],
    ['I3', 'an attempt in the old epoch', { events: replaced(eventRow(7, { case: 'runAttempt', value: {} }, 1)) }],
    ['I3', 'an epoch that nothing announces', { events: replaced(eventRow(7, usage, 2)) }],
    ['I3', 'a second writer', { secondWriters: 1 }],
    ['I3', 'a log ahead of its session', { sessions: [{ ...session, epoch: 1 }] }],
    ['I4', 'a session that keeps an ended run', { sessions: [{ ...session, status: 'RUNNING', activeRunId: 'run' }] }],
    ['I4', 'a forgotten queue', { runs: [run, { ...run, id: 'next', status: 'QUEUED', terminalSeq: 0, startSeq: 0 }] }],
    ['I4', 'a session that forgets its run', { runs: [{ ...run, status: 'RUNNING' }] }],
    ['I5', 'a run that goes on for ever', { runs: [{ ...run, status: 'RUNNING' }] }],
    ['I6', 'two runs of one request', { history: [started('run'), started('other')] }],
    ['I6', 'a run that is not stored', { history: [started('other')] }],
    ['I7', 'a cancelled run that completes', { history: [cancelled] }],
    ['I8', 'a client that misses an event', { views: [viewOf(without(6))] }],
    ['I8', 'a client that saw another event', { views: [viewOf(replaced(eventRow(6, usage)))] }],
    ['I8', 'a client that saw a seq late', { views: [viewOf([...without(4), ...events.slice(3, 4)])] }],
    ['I9', 'a client with other text', { views: [viewOf(withText('other text'))] }],
    ['I9', 'a stored chunk out of its place', { events: replaced(chunk(7)) }],
    ['I10', 'an event that is not stored', { views: [viewOf([...events, eventRow(12, usage, 2)])] }],
    [
      'I11',
      'an effect twice',
      { effects: [effectLine('begin', 520), effectLine('begin', 540), effectLine('end', 550)] },
    ],
    ['I11', 'another key', { effects: [effectLine('begin', 520), effectLine('end', 530, { key: 'run:other' })] }],
    ['I11', 'ok for what did not end', { effects: [effectLine('begin', 520)] }],
    ['I11', 'not started for what was begun', { events: replaced(result(ToolOutcome.NOT_STARTED)) }],
    ['I12', 'an effect before its message', { effects: [effectLine('begin', 450), effectLine('end', 530)] }],
    ['I12', 'an effect of no message', { effects: [effectLine('begin', 520, { call: 'stray' })] }],
    ['I12', 'an effect under an old epoch', { effects: [effectLine('begin', 850), effectLine('end', 860)] }],
    ['I12', 'an effect after the end', { effects: [effectLine('begin', 520), effectLine('end', 1500)] }],
    ['I13', 'a call without its answer', { context: context.filter(({ seq }) => seq !== 3) }],
    [
      'I13',
      'a transcript that a provider refuses',
      { answers: [{ ...answerOf(0), transcriptFaults: ['bad'] }, answerOf(1)] },
    ],
    ['I14', 'a turn without a stop reason', { answers: [answerOf(0)] }],
    [
      'I14',
      'a turn that says something else',
      { context: [...context.slice(0, 3), contextRow(4, 'ends', Role.ASSISTANT, text('x'))] },
    ],
    ['I15', 'too many attempts', { runs: [{ ...run, attempt: 21 }] }],
    ['I15', 'a failed run that keeps its session', poisoned()],
    ['I16', 'sockets that stay', { leftovers: [{ ...leftover, sockets: 200 }] }],
    ['I16', 'children that stay', { leftovers: [{ ...leftover, children: 1 }] }],
    ['I17', 'watchers that slow others down', { watcherCost: { ...cost, othersP99Ms: 60 } }],
    ['I17', 'watchers that cost memory', { watcherCost: { ...cost, memoryMiB: 50 } }],
    ['I18', 'a stranger who is told', { history: [{ ...probe, code: 0, leakedBytes: 40 }] }],
    ['I18', 'a stranger who learns that it exists', { history: [{ ...probe, code: 7 }] }],
    ['I18', 'events of another session', { sessions: [session], views: [strangeView()] }],
    ['I19', 'pages with a gap', { history: [listed(1, 3)] }],
    ['I19', 'pages with a seq twice', { history: [listed(1, 2, 2)] }],
    ['I20', 'a call that hangs', { history: [{ ...call, tookMs: 4000 }] }],
    ['I20', 'a status that is not listed', { history: [{ ...call, code: 2, reason: 'OOPS' }] }],
    ['I20', 'an error that is a bug', { history: [{ ...call, code: 13, reason: 'INTERNAL' }] }],
    ['I20', 'a process that exits', { exits: [{ ...exit, isMeant: false }] }],
    ...fileFaults.map(([what, , changes]) => ['I21', what, changes] as const),
  ];

  test('are each shown at least one violation', () => {
    const all = Array.from({ length: 21 }, (_, index) => `I${index + 1}`);
    expect([...new Set(planted.map(([invariant]) => invariant))]).toEqual(all);
  });

  test.each(planted)('see that %s is broken by %s', (invariant, _, changes) => {
    const found = checkAll(goodEvidence({ views: [], ...changes })).map((each) => each.invariant);
    expect(found).toContain(invariant);
  });

  test.each(fileFaults)('say of %s that %s', (_, sign, changes) => {
    const found = checkAll(goodEvidence({ views: [], ...changes })).filter(({ invariant }) => invariant === 'I21');
    expect(found.map(({ what }) => what)).toContainEqual(expect.stringContaining(sign));
  });

  test('take a tool that can not be stopped for what it is', () => {
    const effects = [effectLine('begin', 520), effectLine('end', 1500)];
    const executions = goodEvidence().executions.map((each) => ({ ...each, state: 'UNKNOWN' as const }));
    expect(checkAll(goodEvidence({ effects, executions }))).toEqual([]);
  });

  test('say nothing of a run that goes on soon after a fault', () => {
    const faults = [{ atMs: 9500, kind: 'kill', target: 'session-0' }] as const;
    const going = { runs: [{ ...run, status: 'RUNNING' as const }], faults, views: [] };
    expect(checkAll(goodEvidence(going)).map(({ invariant }) => invariant)).not.toContain('I5');
  });
});

function withText(value: string) {
  return replaced(eventRow(4, { case: 'textDelta', value: { blockId: 'block', text: value } }));
}

function chunk(offset: number) {
  return eventRow(4, { case: 'textDelta', value: { blockId: 'block', offset: BigInt(offset), text: 'x' } });
}

function result(outcome: ToolOutcome) {
  return eventRow(6, { case: 'toolResult', value: { callId: 'call', outcome } });
}

function answerOf(turn: number) {
  const [answer] = goodEvidence().answers.filter((each) => each.turn === turn);
  if (answer === undefined) {
    throw new RangeError(`no answer of turn ${turn}`);
  }
  return answer;
}

function poisoned(): Partial<Evidence> {
  return {
    runs: [{ ...run, status: 'FAILED' }],
    sessions: [{ ...session, status: 'RUNNING', activeRunId: 'run' }],
  };
}

function strangeView() {
  const view = viewOf([]);
  view.strangers.add('other');
  return view;
}
