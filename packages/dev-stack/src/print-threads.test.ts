import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { AgentEventSchema } from '@spanwise/contracts/spanwise/event/v1/event';
import { expect, test } from 'vitest';
import { EventPrinter } from './event-printer.ts';

type Data = NonNullable<MessageInitShape<typeof AgentEventSchema>['data']>;

/** What a person sees of events, each of a dialogue. */
function printed(...events: readonly (readonly [threadId: string, data: Data])[]): string {
  let shown = '';
  const printer = new EventPrinter({ write: (text) => void (shown += text), hasColor: false });
  events.forEach(([threadId, data]) => printer.print(create(AgentEventSchema, { threadId, data })));
  return shown;
}

const said = (blockId: string, text: string): Data => ({ case: 'textDelta', value: { blockId, text } });
const ended = (blockId: string): Data => ({ case: 'textEnd', value: { blockId } });
const called = (callId: string, tool: string, argumentsJson: string): readonly Data[] => [
  { case: 'toolCallStart', value: { callId, tool } },
  { case: 'toolCallEnd', value: { callId, argumentsJson } },
];
const answered = (callId: string, value: string): Data => ({
  case: 'toolResult',
  value: { callId, outcome: 1, content: [{ content: { case: 'text', value } }] },
});

test('shows the text of an answer, and its calls with their results', () => {
  const calls = called('c', 'read', '{"path":"/a"}').map((data) => ['', data] as const);
  expect(printed(['', said('a', 'I look')], ['', ended('a')], ...calls, ['', answered('c', 'hello')])).toBe(
    'I look\n  ▸ read {"path":"/a"}\n  ✓ read: hello\n',
  );
});

test('shows the calls of an agent that works on a delegated task, and not its text', () => {
  const outer = called('d', 'delegate', '{}').map((data) => ['', data] as const);
  const inner = called('c', 'read', '{}').map((data) => ['d', data] as const);
  const events = [
    ...[...outer, ['d', said('b', 'hm, ')] as const, ...inner, ['d', answered('c', 'hello')] as const],
    ...[['d', said('b', 'I see')] as const, ['d', ended('b')] as const, ['', answered('d', 'I see')] as const],
    ...[['', said('a', 'Done.')] as const, ['', ended('a')] as const],
  ];
  expect(printed(...events)).toBe('  ▸ delegate {}\n    ▸ read {}\n    ✓ read: hello\n  ✓ delegate: I see\nDone.\n');
});
