import { Code, type ConnectError, type Interceptor } from '@connectrpc/connect';
import type { Logger } from '@spanwise/telemetry';
import { callContextKey } from './call-context.ts';
import { toConnectError } from './connect-errors.ts';

/**
 * Turns whatever a handler throws into an error of the catalogue, before the first message and in the middle of a stream,
 * and logs one line for each refused request. Causes and stacks stay in the log.
 */
export function errorInterceptor(logger: Logger): Interceptor {
  return (next) => async (request) => {
    const refuse = (error: unknown): ConnectError => {
      const connectError = toConnectError(error);
      const { span } = request.contextValues.get(callContextKey);
      const facts = { rpc: request.method.name, code: Code[connectError.code], trace_id: span?.traceId };
      if (connectError.code === Code.Internal && isOfStream(error)) {
        logger.debug(facts, 'the caller is gone');
      } else if (connectError.code === Code.Internal) {
        logger.error({ ...facts, err: connectError.cause ?? error }, 'request failed');
      } else {
        logger.debug({ ...facts, message: connectError.rawMessage }, 'request refused');
      }
      return connectError;
    };
    try {
      const response = await next(request);
      return response.stream ? { ...response, message: translated(response.message, refuse) } : response;
    } catch (error) {
      throw refuse(error);
    }
  };
}

// An error after the first message would otherwise leave the stream untranslated.
async function* translated<Message>(messages: AsyncIterable<Message>, refuse: (error: unknown) => ConnectError) {
  try {
    yield* messages;
  } catch (error) {
    throw refuse(error);
  }
}

/** What a write says when the connection of the caller was cut in the middle of it. */
function isOfStream(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    if ('code' in each && each.code === 'ERR_HTTP2_INVALID_STREAM') {
      return true;
    }
  }
  return false;
}
