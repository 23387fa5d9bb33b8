import { type Clock, type IdGenerator, loggedSpans, type OpenSpan } from '@spanwise/kernel';
import { attribute } from '@spanwise/telemetry';
import type { StartCallSpans } from '../../application/ports/call-spans.ts';
import { clipText } from '../../domain/text/bounded-text.ts';

export interface CallSpansDeps {
  readonly ids: Pick<IdGenerator, 'spanId'>;
  readonly clock: Pick<Clock, 'nowMs'>;
}

/** Spans of calls, named and attributed by the GenAI conventions, that go to whoever follows the call. */
export function callSpans({ ids, clock }: CallSpansDeps): StartCallSpans {
  return (call, emit) => {
    const spans = loggedSpans({ ids, clock, emit });
    const name = printable(call.tool);
    const tool = spans.start(call.span, 'tool', `execute_tool ${name}`, {
      [attribute.operationName]: 'execute_tool',
      [attribute.toolName]: name,
      [attribute.toolCallId]: call.callId,
    });
    const files = new Set<OpenSpan>();
    return {
      context: tool.context,
      startFile(fileName, path) {
        const span = spans.start(tool.context, 'file', fileName, { [attribute.filePath]: path.toWellFormed() });
        files.add(span);
        return {
          context: span.context,
          end(end) {
            files.delete(span);
            span.end(end);
          },
        };
      },
      end(end) {
        files.forEach((span) => span.end({ status: 'cancelled' }));
        files.clear();
        tool.end(end);
      },
    };
  };
}

/** A name that a model made up may be anything: no control characters, at most 64 characters. */
function printable(name: string): string {
  return clipText(name, 64).toWellFormed().replaceAll(/\p{C}/gu, '?');
}
