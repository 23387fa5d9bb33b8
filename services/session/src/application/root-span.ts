import { eventTime, spanKind, spanServiceName, type UnplacedEvent } from '../domain/event/agent-event.ts';
import type { Run } from '../domain/run/run.ts';

/** SPAN_START of the span that stands for the whole run. */
export function rootSpanStart(run: Pick<Run, 'id' | 'sessionId' | 'span' | 'options'>, startMs: number): UnplacedEvent {
  const { agent } = run.options;
  return {
    span: run.span.span,
    time: eventTime(startMs),
    data: {
      case: 'spanStart',
      value: {
        kind: spanKind.run,
        name: `invoke_agent ${agent}`,
        traceId: run.span.traceId,
        service: spanServiceName,
        attributes: {
          'gen_ai.operation.name': 'invoke_agent',
          'gen_ai.agent.name': agent,
          'gen_ai.conversation.id': run.sessionId,
          'spanwise.run.id': run.id,
        },
      },
    },
  };
}
