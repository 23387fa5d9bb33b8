import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { AgentEventSchema } from '@spanwise/contracts/spanwise/event/v1/event';
import { MessageSchema, Role, ToolOutcome } from '@spanwise/contracts/spanwise/type/v1/message';
import { ClientView } from '../../src/clients/client-view.ts';
import type { EffectLine } from '../../src/cluster/effect-line.ts';
import type { ContextRow, EventRow, Evidence, RunRow, SessionRow } from '../../src/evidence/evidence.ts';
import { type RunScript, turnText } from '../../src/provider/run-script.ts';

export const session: SessionRow = {
  id: 'session',
  uid: 'alice',
  status: 'IDLE',
  activeRunId: undefined,
  epoch: 2,
  firstSeq: 1,
  lastSeq: 11,
  isDeleted: false,
};

export const run: RunRow = {
  id: 'run',
  sessionId: 'session',
  requestId: 'script-1',
  status: 'COMPLETED',
  attempt: 2,
  startSeq: 1,
  terminalSeq: 11,
  isCancelRequested: false,
  rollsBack: false,
  endedAtMs: 1100,
};

const script: RunScript = {
  id: 'script-1',
  turns: [{ text: 6, tools: [{ name: 'effect', arguments: {} }] }, { text: 4 }],
};

type Data = MessageInitShape<typeof AgentEventSchema>['data'];

/** A row of the log; its time is its seq times 100 ms. */
export function eventRow(seq: number, data: Data, epoch = 1): EventRow {
  const place = { seq: BigInt(seq), sessionId: 'session', runId: 'run', epoch: BigInt(epoch) };
  const event = create(AgentEventSchema, { ...place, ...(data === undefined ? {} : { data }) });
  return { sessionId: 'session', runId: 'run', seq, epoch, createdAtMs: seq * 100, event };
}

const span = { case: 'spanStart', value: { service: 'agent-runtime', name: 'turn' } } as const;

/** A run of two turns with one call, whose executor was lost after the call. */
export const events: readonly EventRow[] = [
  eventRow(1, { case: 'runStart', value: { attempt: 1 } }),
  eventRow(2, span),
  eventRow(3, { case: 'textStart', value: { blockId: 'block', messageId: 'asks' } }),
  eventRow(4, { case: 'textDelta', value: { blockId: 'block', text: turnText('script-1', 0, 6) } }),
  eventRow(5, { case: 'message', value: { messageId: 'asks' } }),
  eventRow(6, { case: 'toolResult', value: { callId: 'call', outcome: ToolOutcome.OK } }),
  eventRow(7, { case: 'runAttempt', value: { attempt: 2 } }, 2),
  eventRow(8, span, 2),
  eventRow(9, { case: 'message', value: { messageId: 'answers' } }, 2),
  eventRow(10, { case: 'message', value: { messageId: 'ends' } }, 2),
  eventRow(11, { case: 'runEnd', value: { outcome: 1 } }, 2),
];

export type Parts = NonNullable<MessageInitShape<typeof MessageSchema>['parts']>;

export function contextRow(seq: number, id: string, role: Role, parts: Parts): ContextRow {
  const message = create(MessageSchema, { id, role, parts: [...parts] });
  return { sessionId: 'session', runId: 'run', threadId: '', seq, message, supersededAtSeq: undefined };
}

const text = (value: string): Parts[number] => ({ part: { case: 'text', value: { text: value } } });

export const context: readonly ContextRow[] = [
  contextRow(1, 'asked', Role.USER, [text(JSON.stringify(script))]),
  contextRow(2, 'asks', Role.ASSISTANT, [
    text(turnText('script-1', 0, 6)),
    { part: { case: 'toolCall', value: { callId: 'call', tool: 'effect', argumentsJson: '{}' } } },
  ]),
  contextRow(3, 'answers', Role.TOOL, [{ part: { case: 'toolResult', value: { callId: 'call' } } }]),
  contextRow(4, 'ends', Role.ASSISTANT, [text(turnText('script-1', 1, 4))]),
];

/** A line of the effects of the one call. */
export function effectLine(phase: EffectLine['phase'], time: number, more: Partial<EffectLine> = {}): EffectLine {
  return { time, kind: 'effect', session: '', run: 'run', call: 'call', key: 'run:call', phase, pid: 1, ...more };
}

/** A client that has seen these rows. */
export function viewOf(rows: readonly EventRow[]): ClientView {
  const view = new ClientView({ client: 'client', uid: 'alice', sessionId: 'session', form: 'exact' });
  rows.forEach(({ event }) => view.accept(event));
  view.isComplete = true;
  return view;
}

const answer = { atMs: 0, caller: '', transcriptFaults: [], heard: [], fault: undefined, isAbandoned: false, sent: [] };

/** Everything as it should be. */
export function goodEvidence(changes: Partial<Evidence> = {}): Evidence {
  return {
    sessions: [session],
    runs: [run],
    events,
    context,
    executions: [
      {
        ...{ runId: 'run', callId: 'call', sessionId: 'session', epoch: 1, tool: 'effect' },
        ...{ effect: 'NON_REPEATABLE', state: 'DONE' },
      },
    ],
    layers: [],
    files: [],
    history: [],
    views: [viewOf(events)],
    effects: [effectLine('begin', 520), effectLine('end', 530)],
    answers: [0, 1].map((turn) => ({ ...answer, script: 'script-1', turn, hasStopped: true })),
    faults: [],
    exits: [],
    secondWriters: 0,
    leftovers: [],
    watcherCost: undefined,
    readAtMs: 10_000,
    recoveryMs: 1000,
    ...changes,
  };
}
