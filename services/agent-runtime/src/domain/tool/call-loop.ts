import { callsOf, type Message, role, type ToolCallPart, type ToolResultPart } from '../message/message.ts';

/** The code of results that end a loop. */
export const loopDetected = 'LOOP_DETECTED';

/**
 * Ids of those calls of the last message that go round in circles: the two calls before each, in the same run since the last
 * message of the user, were the same, and so were their results as far as they are known. Calls that ended a loop were not
 * executed and do not count; different results let a call that waits for something be repeated as often as it likes. Results
 * of the last message itself are not looked at, so that every dispatch that works on it decides alike.
 */
export function loopingCalls(dialogue: readonly Message[]): ReadonlySet<string> {
  const asked = callsOf(dialogue.at(-1));
  const thread = threadOf(dialogue);
  const results = new Map(thread.flatMap(resultsOf).map((result) => [result.callId, result]));
  const calls = thread.flatMap(callsOf).filter(({ callId }) => results.get(callId)?.code !== loopDetected);
  const firstAsked = calls.length - asked.length;
  const looping = asked.filter((call, index) => {
    const before = calls.slice(Math.max(0, firstAsked + index - 2), firstAsked + index);
    const [first, second] = before.map(({ callId }) => results.get(callId));
    return before.length === 2 && before.every((each) => isSameCall(each, call)) && mayBeSame(first, second);
  });
  return new Set(looping.map(({ callId }) => callId));
}

/** What the run of the last message has said since the user did, oldest first. */
function threadOf(dialogue: readonly Message[]): readonly Message[] {
  const runId = dialogue.at(-1)?.runId;
  const lastOther = dialogue.findLastIndex((message) => message.role === role.user || message.runId !== runId);
  return dialogue.slice(lastOther + 1);
}

function resultsOf({ parts }: Message): readonly ToolResultPart[] {
  return parts.flatMap(({ part }) => (part.case === 'toolResult' ? [part.value] : []));
}

function isSameCall(a: ToolCallPart, b: ToolCallPart): boolean {
  return (
    a.tool === b.tool &&
    (a.argumentsJson === b.argumentsJson || canonical(a.argumentsJson) === canonical(b.argumentsJson))
  );
}

/** The same text for the same JSON value, whatever the order of its keys and its blanks; what is no JSON is as it is. */
function canonical(argumentsJson: string): string {
  try {
    return JSON.stringify(JSON.parse(argumentsJson), (_, value: unknown) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
        : value,
    );
  } catch {
    return argumentsJson;
  }
}

function mayBeSame(a: ToolResultPart | undefined, b: ToolResultPart | undefined): boolean {
  return a === undefined || b === undefined || shownBy(a) === shownBy(b);
}

/** What a result says, without the id of its call: the file that keeps a long output is named after it. */
function shownBy({ callId, outcome, content, structuredJson, code }: ToolResultPart): string {
  const texts = content.map((each) => each.content.value.replaceAll(callId, ''));
  return JSON.stringify([outcome, code, structuredJson, texts]);
}
