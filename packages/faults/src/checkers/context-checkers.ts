import { type Message, Role } from '@spanwise/contracts/spanwise/type/v1/message';
import type { ContextRow, Evidence } from '../evidence/evidence.ts';
import { parseScript, turnText } from '../provider/run-script.ts';
import { type DialogueMessage, dialogueFaults } from './dialogue-rules.ts';
import { violation } from './log-checkers.ts';
import type { Violation } from './violation.ts';

/**
 * I13: every stored context, without what was rolled back, keeps the rules of strict providers, and so did every request that
 * reached the provider. The last calls of a session whose run still goes on may be without answers.
 */
export function checkContexts({ sessions, context, answers }: Evidence): readonly Violation[] {
  const active = new Set(sessions.filter(({ status }) => status !== 'IDLE').map(({ id }) => id));
  const kept = context.filter(({ supersededAtSeq }) => supersededAtSeq === undefined);
  const threads = Map.groupBy(kept, ({ sessionId, threadId }) => `${sessionId}/${threadId}`);
  const stored = [...threads].flatMap(([thread, rows]) => {
    const mayBeOpen = active.has(rows[0]?.sessionId ?? '');
    const faults = dialogueFaults(
      rows.map(({ message }) => reduced(message)),
      mayBeOpen,
    );
    return faults.map((fault) => violation('I13', `context ${thread}: ${fault}`));
  });
  const asked = answers.flatMap(({ script, turn, transcriptFaults }) =>
    transcriptFaults.map((fault) => violation('I13', `turn ${turn} of script ${script} was asked with: ${fault}`)),
  );
  return [...stored, ...asked];
}

function reduced({ role, parts }: Message): DialogueMessage {
  const calls = parts.flatMap(({ part }) => (part.case === 'toolCall' ? [part.value.callId] : []));
  const answers = parts.flatMap(({ part }) => (part.case === 'toolResult' ? [part.value.callId] : []));
  const hasText = parts.some(
    ({ part }) => (part.case === 'text' || part.case === 'reasoning') && part.value.text !== '',
  );
  const isEmpty = !hasText && calls.length === 0 && answers.length === 0;
  return { role: roles.get(role) ?? 'system', calls, answers, isEmpty };
}

const roles = new Map<Role, DialogueMessage['role']>([
  [Role.USER, 'user'],
  [Role.ASSISTANT, 'assistant'],
  [Role.TOOL, 'tool'],
]);

/**
 * I14: an answer of the model is in the context only if the provider has sent its stop reason, and then with exactly the
 * text that its script says.
 */
export function checkTurns({ context, answers }: Evidence): readonly Violation[] {
  const stopped = new Set(
    answers.filter(({ hasStopped }) => hasStopped).map(({ script, turn }) => `${script}:${turn}`),
  );
  const byRun = Map.groupBy(context, ({ runId }) => runId);
  return [...byRun].flatMap(([runId, rows]) =>
    turnFaults(rows, stopped).map((what) => violation('I14', `run ${runId}: ${what}`)),
  );
}

function turnFaults(rows: readonly ContextRow[], stopped: ReadonlySet<string>): readonly string[] {
  const user = rows.find(({ message }) => message.role === Role.USER);
  const script = user === undefined ? undefined : parseScript(textOf(user.message));
  if (script === undefined) {
    return [];
  }
  const said = rows.filter(({ message }) => message.role === Role.ASSISTANT);
  return said.flatMap(({ message }, turn) => {
    const played = script.turns[Math.min(turn, script.turns.length - 1)];
    const expected = turnText(script.id, turn, played?.text ?? 0);
    return [
      ...(stopped.has(`${script.id}:${turn}`) ? [] : [`turn ${turn} is complete without a stop reason`]),
      ...(textOf(message) === expected ? [] : [`turn ${turn} has another text than the model said`]),
    ];
  });
}

function textOf({ parts }: Message): string {
  return parts.flatMap(({ part }) => (part.case === 'text' ? [part.value.text] : [])).join('');
}
