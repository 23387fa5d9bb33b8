import { hash } from 'node:crypto';
import type { ToolResult } from '@spanwise/contracts/spanwise/event/v1/event';
import { ToolOutcome } from '@spanwise/contracts/spanwise/type/v1/message';
import type { EventRow, Evidence } from '../evidence/evidence.ts';

/** A call of the tools `read` and `write`, and what is known of it. */
export interface FileCall {
  readonly runId: string;
  readonly callId: string;
  readonly tool: 'read' | 'write';
  readonly path: string;
  /** What `write` was to write; empty for `read`. */
  readonly content: string;
  /** Place of its message in the context: calls of the same message may overlap. */
  readonly seq: number;
  /** `perhaps`: nobody can say whether it was done. */
  readonly fate: 'done' | 'not-done' | 'perhaps';
  /** What its result says; empty without one. */
  readonly text: string;
}

/** What a run has left at a path: what it wrote last, as far as that is known, and what it may have written after it. */
export interface LeftFile {
  readonly sure: string | undefined;
  readonly perhaps: readonly string[];
}

/** Tells of a file tool that it has changed nothing, because what it was asked to do did not fit what is there. */
const refusals = /There is nothing at|has not been read|has changed since it was read/;

/** Whether a file tool was answered that its call does not fit what is there: nothing was lost, and nothing was done. */
export function isRefusal({ outcome, ...result }: ToolResult): boolean {
  return outcome === ToolOutcome.ERROR && refusals.test(textOf(result));
}

/** The calls of file tools that the context has, by run, in the order in which they were asked for. */
export function fileCalls({ context, events }: Pick<Evidence, 'context' | 'events'>): ReadonlyMap<string, FileCall[]> {
  const results = resultsByCall(events);
  const calls = context.flatMap(({ sessionId, runId, seq, message }) =>
    message.parts.flatMap(({ part }): readonly FileCall[] => {
      if (part.case !== 'toolCall' || (part.value.tool !== 'read' && part.value.tool !== 'write')) {
        return [];
      }
      const { callId, tool, argumentsJson } = part.value;
      const result = results.get(`${sessionId} ${callId}`);
      const { path, content = '' } = JSON.parse(argumentsJson) as { readonly path: string; readonly content?: string };
      const text = result === undefined ? '' : textOf(result);
      return [{ runId, callId, tool, path, content, seq, fate: fateOf(result), text }];
    }),
  );
  return Map.groupBy(calls, ({ runId }) => runId);
}

/** What calls have left, by path. */
export function leftBy(calls: readonly FileCall[]): ReadonlyMap<string, LeftFile> {
  const left = new Map<string, LeftFile>();
  for (const { tool, path, content, fate } of calls) {
    const { sure, perhaps } = left.get(path) ?? { sure: undefined, perhaps: [] };
    if (tool === 'write' && fate === 'done') {
      left.set(path, { sure: content, perhaps: [] });
    } else if (tool === 'write' && fate === 'perhaps') {
      left.set(path, { sure, perhaps: [...perhaps, content] });
    }
  }
  return left;
}

/** The hash that filesystem knows a content by. */
export function contentHash(content: string): string {
  return hash('sha256', content);
}

function fateOf(result: ToolResult | undefined): FileCall['fate'] {
  switch (result?.outcome) {
    case ToolOutcome.OK:
      return 'done';
    case ToolOutcome.NOT_STARTED:
      return 'not-done';
    default:
      return result !== undefined && isRefusal(result) ? 'not-done' : 'perhaps';
  }
}

/** The last result of each call, by session and call. */
function resultsByCall(events: readonly EventRow[]): ReadonlyMap<string, ToolResult> {
  const results = new Map<string, ToolResult>();
  for (const { sessionId, event } of events) {
    if (event.data.case === 'toolResult') {
      results.set(`${sessionId} ${event.data.value.callId}`, event.data.value);
    }
  }
  return results;
}

function textOf({ content }: Pick<ToolResult, 'content'>): string {
  return content.flatMap((each) => (each.content.case === 'text' ? [each.content.value] : [])).join('\n');
}
