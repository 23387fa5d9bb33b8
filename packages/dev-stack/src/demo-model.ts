import type { ModelMessage, ModelReply, ModelRequest } from '@spanwise/testing';
import { demoReport } from './demo-report.ts';

/** What `npm start` asks of the agent. */
export const demoTask =
  'Read the Markdown and CSV files in /library, work out the totals, and write a short report to /workspace/report.md.';

export const reportPath = '/workspace/report.md';

/**
 * Plays the model where none is configured: looks for the files, reads them, computes from what the tools really answered,
 * writes the report, and says what it found. Like a model it knows nothing but the transcript.
 */
export function demoModel({ messages }: ModelRequest): ModelReply {
  const turn = messages.slice(messages.findLastIndex(({ role }) => role === 'user'));
  const results = resultsByTool(turn);
  if (!textOf(turn[0]).includes('/library')) {
    return smallTalk(textOf(turn[0]), results);
  }
  const found = results.filter(({ tool }) => tool === 'glob').flatMap(({ text }) => text.split('\n').filter(isPath));
  const files = results
    .filter(({ tool }) => tool === 'read')
    .map(({ input, text }) => ({ path: input.path ?? '', text }));
  const written = results.find(({ tool }) => tool === 'write');
  if (!results.some(({ tool }) => tool === 'glob')) {
    return {
      reasoning: 'First I need to know which files there are.',
      text: 'I will look at what is in the library.',
      toolCalls: ['**/*.md', '**/*.csv'].map((pattern) => ({ tool: 'glob', input: { path: '/library', pattern } })),
    };
  }
  if (files.length === 0) {
    const toolCalls = found.toSorted().map((path) => ({ tool: 'read', input: { path } }));
    return toolCalls.length === 0
      ? { text: 'There are no Markdown or CSV files in /library, so there is nothing to report.' }
      : { text: `There are ${found.length} files. I will read them all.`, toolCalls };
  }
  const report = demoReport(files);
  if (written === undefined) {
    const input = { path: reportPath, content: report.markdown };
    return { text: 'Now I have the figures and write the report.', toolCalls: [{ tool: 'write', input }] };
  }
  return { text: `${report.summary}\n\nThe report is in ${reportPath}.` };
}

interface Result {
  readonly tool: string;
  readonly input: { readonly path?: string };
  readonly text: string;
}

/** Answers whatever else is asked: lists the workspace once, then says who is playing. */
function smallTalk(asked: string, results: readonly Result[]): ModelReply {
  const [listing] = results;
  if (listing === undefined) {
    return {
      text: 'Let me see what is in your workspace.',
      toolCalls: [{ tool: 'ls', input: { path: '/workspace' } }],
    };
  }
  const entries = listing.text.trim();
  return {
    text: [
      `You said: “${asked.slice(0, 200)}”. I am a scripted model, so I can not really answer that.`,
      `Your workspace has:\n${entries}`,
      `Ask me to “${demoTask}”, or set OPENAI_API_KEY or SPANWISE_MODEL_BASE_URL for a real model.`,
    ].join('\n\n'),
  };
}

function resultsByTool(messages: readonly ModelMessage[]): readonly Result[] {
  const calls = new Map(
    messages.flatMap(({ tool_calls = [] }) =>
      tool_calls.map(({ id, function: { name, arguments: text } }) => [id, { tool: name, text }] as const),
    ),
  );
  return messages.flatMap((message) => {
    const call = message.role === 'tool' ? calls.get(message.tool_call_id ?? '') : undefined;
    return call === undefined
      ? []
      : [{ tool: call.tool, input: JSON.parse(call.text) as Result['input'], text: textOf(message) }];
  });
}

function isPath(line: string): boolean {
  return line.startsWith('/');
}

function textOf(message: ModelMessage | undefined): string {
  const content = message?.content ?? '';
  return typeof content === 'string' ? content : content.map((part) => ('text' in part ? part.text : '')).join('');
}
