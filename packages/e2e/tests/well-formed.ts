import type { AgentEvent } from '@spanwise/contracts/spanwise/event/v1/event';

/**
 * What breaks the producer rules in a run's events: everything that is opened is closed before the end, deltas belong to
 * open blocks, every call has one result, and the one terminal event comes last. Empty when nothing does.
 */
export function brokenRules(events: readonly AgentEvent[]): readonly string[] {
  const broken: string[] = [];
  const blocks = new Set<string>();
  const spans = new Set<string>();
  const calls = new Map<string, number>();
  const abandoned = new Set<string>();
  const complete = new Set<string>();
  const messageOf = new Map<string, string>();
  let terminals = 0;
  for (const { data, span, seq } of events) {
    const say = (what: string) => broken.push(`seq ${seq}: ${what}`);
    if (terminals > 0) {
      say(`${data.case} after the end`);
    }
    switch (data.case) {
      case 'textStart':
      case 'reasoningStart':
        blocks.add(data.value.blockId);
        break;
      case 'textDelta':
      case 'reasoningDelta':
        if (!blocks.has(data.value.blockId)) {
          say('delta of a block that is not open');
        }
        break;
      case 'textEnd':
      case 'reasoningEnd':
        if (!blocks.delete(data.value.blockId)) {
          say('end of a block that is not open');
        }
        break;
      case 'toolCallStart':
        blocks.add(data.value.callId);
        messageOf.set(data.value.callId, data.value.messageId);
        calls.set(data.value.callId, 0);
        break;
      case 'toolCallEnd':
        blocks.delete(data.value.callId);
        break;
      case 'toolResult':
        calls.set(data.value.callId, (calls.get(data.value.callId) ?? 0) + 1);
        break;
      case 'message':
        complete.add(data.value.messageId);
        break;
      case 'messageAbandoned':
        abandoned.add(data.value.messageId);
        break;
      case 'runAttempt':
        // What the dispatch before had open is void: blocks and calls of incomplete messages, spans but the run's own.
        blocks.clear();
        [...spans].filter((id) => id !== span?.id).forEach((id) => spans.delete(id));
        for (const messageId of new Set(messageOf.values())) {
          if (!complete.has(messageId)) {
            abandoned.add(messageId);
          }
        }
        break;
      case 'spanStart':
        spans.add(span?.id ?? '');
        break;
      case 'spanEnd':
        if (!spans.delete(span?.id ?? '')) {
          say('end of a span that is not open');
        }
        break;
      case 'runEnd':
      case 'runError':
        terminals += 1;
        break;
      default:
        break;
    }
  }
  const unanswered = [...calls].filter(([id, results]) => results !== (abandoned.has(messageOf.get(id) ?? '') ? 0 : 1));
  return [
    ...broken,
    ...[...blocks].map((id) => `block ${id} stays open`),
    ...[...spans].map((id) => `span ${id} stays open`),
    ...unanswered.map(([id, results]) => `call ${id} has ${results} results`),
    ...(terminals === 1 ? [] : [`${terminals} terminal events`]),
  ];
}
