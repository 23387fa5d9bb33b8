import { type Clock, type IdGenerator, loggedSpans, type OpenSpan, type SpanAttributes } from '@spanwise/kernel';
import { attribute } from '@spanwise/telemetry';
import type { StartCallSpans } from '../../application/ports/call-spans.ts';
import { clipText } from '../../domain/text/bounded-text.ts';

export interface CallSpansDeps {
  readonly ids: Pick<IdGenerator, 'spanId'>;
  readonly clock: Pick<Clock, 'nowMs'>;
}

/** File operations of one call that are spans: a command may do tens of thousands, and each would be two events of the log. */
const maxFileSpans = 200;

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
    let operations = 0;
    let attributes: SpanAttributes = {};
    return {
      context: tool.context,
      startFile(fileName, path) {
        operations += 1;
        if (operations > maxFileSpans) {
          return { context: tool.context, end: () => undefined };
        }
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
      judged(decision) {
        attributes = { ...attributes, [attribute.toolDecision]: decision };
      },
      end(end) {
        files.forEach((span) => span.end({ status: 'cancelled' }));
        files.clear();
        const many: SpanAttributes =
          operations > maxFileSpans ? { [attribute.fileOperations]: String(operations) } : {};
        tool.end({ ...end, attributes: { ...end.attributes, ...attributes, ...many } });
      },
    };
  };
}

/** A name that a model made up may be anything: no control characters, at most 64 characters. */
function printable(name: string): string {
  return clipText(name, 64).toWellFormed().replaceAll(/\p{C}/gu, '?');
}
