import { create } from '@bufbuild/protobuf';
import { type AgentEvent, AgentEventSchema } from '@spanwise/contracts/spanwise/event/v1/event';
import { InterruptKind } from '@spanwise/contracts/spanwise/type/v1/interrupt';
import { expect, test } from 'vitest';
import { EventPrinter } from './event-printer.ts';

function printed(...data: readonly AgentEvent['data'][]): string {
  let text = '';
  const printer = new EventPrinter({ write: (piece) => void (text += piece), hasColor: false });
  data.forEach((each) => printer.print({ ...create(AgentEventSchema), data: each }));
  return text;
}

const made = (init: NonNullable<Parameters<typeof create<typeof AgentEventSchema>>[1]>['data']) =>
  create(AgentEventSchema, { data: init }).data;

test('shows a call that is to be approved whole, however long', () => {
  const argumentsJson = JSON.stringify({ command: `echo ${'x'.repeat(500)}; rm -rf /workspace` });
  const approval = { tool: 'bash', title: 'Run command', argumentsJson, targets: ['rm -rf /workspace'] };
  const interrupt = { kind: InterruptKind.APPROVAL, message: 'Run command (bash)', approval };
  expect(printed(made({ case: 'interrupt', value: { interrupt } }))).toBe(
    `\nRun command (bash)\n${argumentsJson}\n  touches rm -rf /workspace\n\n`,
  );
});

test('shows output of a tool as it comes', () => {
  const output = (text: string) => made({ case: 'toolProgress', value: { callId: 'c', output: text } });
  expect(printed(output('line 1\nli'), output('ne 2\n'))).toBe('line 1\nline 2\n');
});

test('lets nobody steer the terminal', () => {
  const escape = '\u001b[2J\u001b]0;title\u0007\u202e\r';
  const shown = '\\u001b[2J\\u001b]0;title\\u0007\\u202e\\u000d';
  expect(printed(made({ case: 'textDelta', value: { text: `a${escape}\tb\n` } }))).toBe(`a${shown}\tb\n`);
  expect(printed(made({ case: 'toolProgress', value: { callId: 'c', output: escape } }))).toBe(shown);
  const interrupt = { message: escape };
  expect(printed(made({ case: 'interrupt', value: { interrupt } }))).toBe(`\n${shown}\n\n`);
});
