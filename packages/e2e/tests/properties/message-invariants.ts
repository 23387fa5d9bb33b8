import type { AgentEvent } from '@spanwise/contracts/spanwise/event/v1/event';
import type { Message } from '@spanwise/contracts/spanwise/type/v1/message';
import { BlockTexts } from './block-texts.ts';
import type { StoredSession } from './stored-session.ts';

/** Blocks of the messages that are committed: those of others are void. */
export function committedBlocks(
  events: readonly AgentEvent[],
): readonly { readonly id: string; readonly messageId: string }[] {
  const committed = new Set(events.flatMap(({ data }) => (data.case === 'message' ? [data.value.messageId] : [])));
  const blocks = events.flatMap(({ data }) => {
    switch (data.case) {
      case 'textStart':
      case 'reasoningStart':
        return [{ id: data.value.blockId, messageId: data.value.messageId }];
      case 'toolCallStart':
        return [{ id: data.value.callId, messageId: data.value.messageId }];
      default:
        return [];
    }
  });
  return blocks.filter(({ messageId }) => committed.has(messageId));
}

/** What does not hold between events and messages: the same messages, texts, calls and results in both. */
export function brokenMessages({ events, messages }: StoredSession): readonly string[] {
  const told = events.flatMap(({ data }) => (data.case === 'message' ? [data.value] : []));
  const broken = differences('messages', {
    told: told.map(({ messageId, contextSeq, role }) => [messageId, contextSeq, role]),
    stored: messages.map(({ id, seq, role }) => [id, seq, role]),
  });
  const seqs = messages.map(({ seq }) => seq);
  const contiguous = differences('context seqs', { told: seqs, stored: seqs.map((_, index) => BigInt(index + 1)) });
  const texts = new BlockTexts().apply(events);
  const blocks = committedBlocks(events);
  const wrong = messages.flatMap((message) => {
    const own = blocks.filter(({ messageId }) => messageId === message.id).map(({ id }) => texts.textOf(id));
    const stored = message.role === 3 ? message.parts.map(textOf) : [];
    return differences(`text of ${message.id}`, { told: own, stored });
  });
  return [...broken, ...contiguous, ...wrong, ...brokenCalls(events, messages)];
}

/** Every call of a stored message has one TOOL_RESULT and one tool_result part, of the same outcome. */
function brokenCalls(events: readonly AgentEvent[], messages: readonly Message[]): readonly string[] {
  const parts = messages.flatMap(({ parts }) => parts.map(({ part }) => part));
  const calls = parts.flatMap((part) => (part.case === 'toolCall' ? [part.value.callId] : []));
  const results = events.flatMap(({ data }) => (data.case === 'toolResult' ? [data.value] : []));
  const stored = parts.flatMap((part) => (part.case === 'toolResult' ? [part.value] : []));
  const brief = (each: readonly { readonly callId: string; readonly outcome: number }[]) =>
    each.map(({ callId, outcome }) => `${callId} ${outcome}`).sort();
  return [
    ...differences('calls and results', { told: results.map(({ callId }) => callId).sort(), stored: calls.sort() }),
    ...differences('results', { told: brief(results), stored: brief(stored) }),
  ];
}

function textOf({ part }: Message['parts'][number]): string {
  switch (part.case) {
    case 'text':
    case 'reasoning':
      return part.value.text;
    case 'toolCall':
      return part.value.argumentsJson;
    default:
      return '';
  }
}

function differences(
  what: string,
  { told, stored }: { readonly told: unknown; readonly stored: unknown },
): readonly string[] {
  const [first, second] = [told, stored].map(json);
  return first === second ? [] : [`${what}: told ${first}, stored ${second}`];
}

/** JSON of anything with 64-bit integers. */
export function json(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? `${each}n` : each));
}
