import type { Interceptor } from '@connectrpc/connect';
import { type Span, type SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { parentContext, type Telemetry } from '@spanwise/telemetry';
import { callContextKey } from './call-context.ts';

/**
 * RPC spans on either side: leaves under the ExecSpan that encloses the call. The parent that is sent on is the ExecSpan,
 * not the RPC span, so that the tree in the trace is the tree in the log.
 */
export function tracingInterceptor(telemetry: Telemetry, kind: SpanKind.SERVER | SpanKind.CLIENT): Interceptor {
  if (!telemetry.isEnabled) {
    return (next) => next;
  }
  return (next) => async (request) => {
    const parent = parentContext(request.contextValues.get(callContextKey).span);
    const name = `${request.method.parent.typeName}/${request.method.name}`;
    const attributes = { 'rpc.system.name': 'connectrpc', 'rpc.method': name };
    const span = telemetry.tracer.startSpan(name, { kind, attributes }, parent);
    try {
      const response = await next(request);
      if (response.stream && span.isRecording()) {
        return { ...response, message: ending(response.message, span) };
      }
      span.end();
      return response;
    } catch (error) {
      fail(span);
      throw error;
    }
  };
}

async function* ending<Message>(messages: AsyncIterable<Message>, span: Span) {
  try {
    yield* messages;
  } catch (error) {
    fail(span);
    throw error;
  } finally {
    span.end();
  }
}

function fail(span: Span): void {
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}
