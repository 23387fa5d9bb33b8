import { ToolOutcome } from '@spanwise/contracts/spanwise/type/v1/message';
import type { EffectLine } from '../cluster/effect-line.ts';
import type { EventRow, Evidence } from '../evidence/evidence.ts';
import { violation } from './log-checkers.ts';
import type { Violation } from './violation.ts';

/** Tools of the suite by what executing them does. */
const nonRepeatable = new Set(['effect', 'slow', 'stubborn']);

/**
 * I11: a NON_REPEATABLE call has had at most one effect, an IDEMPOTENT one always the same key, and no result claims less
 * than what happened: `ok` only for what was done to its end, `not_started` only for what was not begun.
 */
export function checkEffects({ effects, events }: Evidence): readonly Violation[] {
  const results = resultsByCall(events);
  return [...Map.groupBy(effects, ({ call }) => call)].flatMap(([call, lines]) => {
    const begins = lines.filter(({ phase }) => phase === 'begin');
    const [first] = begins;
    const isOnce = first !== undefined && nonRepeatable.has(first.kind);
    const keys = new Set(lines.map(({ key }) => key));
    const outcome = results.get(call);
    const hasEnded = lines.some(({ phase }) => phase === 'end');
    const say = (what: string) => [violation('I11', `call ${call} of run ${first?.run}: ${what}`)];
    return [
      ...(isOnce && begins.length > 1 ? say(`${first.kind} was executed ${begins.length} times`) : []),
      ...(keys.size > 1 ? say(`it had ${keys.size} keys`) : []),
      ...(outcome === ToolOutcome.NOT_STARTED ? say('its result says that it was not started') : []),
      ...(outcome === ToolOutcome.OK && !hasEnded ? say('its result is ok, and it never came to its end') : []),
    ];
  });
}

/** Outcome of the last result of each call. */
function resultsByCall(events: readonly EventRow[]): ReadonlyMap<string, ToolOutcome> {
  const results = new Map<string, ToolOutcome>();
  for (const { event } of events) {
    if (event.data.case === 'toolResult') {
      results.set(event.data.value.callId, event.data.value.outcome);
    }
  }
  return results;
}

/**
 * I12: nothing is done before the message that asks for it is committed, nothing begins under an epoch once a later
 * dispatch is at work, and nothing of a run is done after its end, except by a tool that can not be stopped and whose
 * result says so. Clocks: all processes of the suite share one; a later dispatch is at work from its first span on.
 */
export function checkEffectOrder(evidence: Evidence): readonly Violation[] {
  const facts = orderFacts(evidence);
  return evidence.effects.flatMap((line) => {
    const what = disorderOf(line, facts);
    return what === undefined
      ? []
      : [violation('I12', `${line.phase} of call ${line.call} of run ${line.run}: ${what}`)];
  });
}

interface OrderFacts {
  /** When the message with a call was stored, by call id. */
  readonly committedMs: ReadonlyMap<string, number>;
  /** When a run ended, by run id. */
  readonly endedMs: ReadonlyMap<string, number>;
  /** Epoch of the last execution of a call, by call id. */
  readonly epochs: ReadonlyMap<string, number>;
  /** Calls of which nobody knows what became. */
  readonly unknown: ReadonlySet<string>;
  /** First span of each epoch of a run. */
  readonly dispatches: ReadonlyMap<string, readonly { readonly epoch: number; readonly atMs: number }[]>;
  /** The last beginning of each call: earlier ones belong to earlier executions, whose epoch the ledger has forgotten. */
  readonly lastBegin: ReadonlyMap<string, EffectLine>;
}

function disorderOf(line: EffectLine, facts: OrderFacts): string | undefined {
  const committedMs = facts.committedMs.get(line.call);
  if (committedMs === undefined || line.time < committedMs) {
    return 'before its message was committed';
  }
  // What is UNKNOWN to the ledger was told to be unstoppable: its process was frozen, or cut off.
  const mayLast = line.kind === 'stubborn' || facts.unknown.has(line.call);
  if (line.time > (facts.endedMs.get(line.run) ?? Number.POSITIVE_INFINITY) && !mayLast) {
    return 'after its run has ended';
  }
  const epoch = facts.epochs.get(line.call);
  if (epoch === undefined || line.phase !== 'begin' || facts.lastBegin.get(line.call) !== line) {
    return undefined;
  }
  const later = facts.dispatches.get(line.run)?.find((dispatch) => dispatch.epoch > epoch && dispatch.atMs < line.time);
  return later === undefined ? undefined : `under epoch ${epoch}, when epoch ${later.epoch} was at work`;
}

function orderFacts({ effects, events, context, executions }: Evidence): OrderFacts {
  const messages = new Map(
    events.flatMap(({ event, createdAtMs }) =>
      event.data.case === 'message' ? [[event.data.value.messageId, createdAtMs] as const] : [],
    ),
  );
  const committedMs = new Map(
    context.flatMap(({ message }) =>
      message.parts.flatMap(({ part }) => {
        const atMs = messages.get(message.id);
        return part.case === 'toolCall' && atMs !== undefined ? [[part.value.callId, atMs] as const] : [];
      }),
    ),
  );
  const ends = events.filter(({ event }) => event.data.case === 'runEnd' || event.data.case === 'runError');
  return {
    committedMs,
    endedMs: new Map(ends.map(({ runId, createdAtMs }) => [runId, createdAtMs])),
    epochs: new Map(executions.map(({ callId, epoch }) => [callId, epoch])),
    unknown: new Set(executions.flatMap(({ callId, state }) => (state === 'DONE' ? [] : [callId]))),
    dispatches: Map.groupBy(firstSpans(events), ({ runId }) => runId),
    lastBegin: new Map(effects.filter(({ phase }) => phase === 'begin').map((line) => [line.call, line])),
  };
}

function firstSpans(events: readonly EventRow[]) {
  const seen = new Set<string>();
  return events.flatMap(({ runId, epoch, event, createdAtMs }) => {
    const key = `${runId} ${epoch}`;
    if (event.data.case !== 'spanStart' || event.data.value.service !== 'agent-runtime' || seen.has(key)) {
      return [];
    }
    seen.add(key);
    return [{ runId, epoch, atMs: createdAtMs }];
  });
}
