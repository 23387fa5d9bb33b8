import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { Code, ConnectError, type ConnectRouter } from '@connectrpc/connect';
import type { UniversalServerResponse } from '@connectrpc/connect/protocol';
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from '@connectrpc/connect-node';
import type { Logger } from '@spanwise/telemetry';
import { isDeadlineValid } from './request-gate.ts';

type NodeRequest = IncomingMessage | Http2ServerRequest;
type NodeResponse = ServerResponse | Http2ServerResponse;
export type NodeHandler = (request: NodeRequest, response: NodeResponse) => void;

/**
 * Serves the handlers of a router to Node's HTTP servers. Unlike the adapter of connect-node it answers a gRPC error that
 * comes before the first message as Trailers-Only, without which the retry policies of gRPC clients never fire.
 */
export function nodeHandler(router: ConnectRouter, logger: Logger): NodeHandler {
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  return (request, response) => {
    const handler = handlers.get(request.url?.split('?', 1)[0] ?? '');
    if (handler === undefined) {
      answerUnknown(request, response);
      return;
    }
    answer().catch((error: unknown) => {
      // Aborted: the client hung up while it was being answered.
      if (ConnectError.from(error).code !== Code.Aborted) {
        logger.debug({ rpc: handler.method.name, err: error }, 'could not answer');
      }
      response.destroy();
    });

    async function answer() {
      hideDeadline(request);
      const result = await handler?.(universalRequestFromNodeRequest(request, response, undefined, undefined));
      if (result !== undefined) {
        await send(result, response);
      }
    }
  };
}

/**
 * Connect sets a timer for the deadline before it checks it, and Node takes a timer that is too long for one of 1 ms: what
 * is not valid is made unreadable, and the gate then refuses it.
 */
function hideDeadline({ headers }: NodeRequest): void {
  const { 'grpc-timeout': grpc, 'connect-timeout-ms': connect } = headers;
  if (!isDeadlineValid(grpc?.toString(), connect?.toString())) {
    headers[grpc === undefined ? 'connect-timeout-ms' : 'grpc-timeout'] = 'invalid';
  }
}

async function send(result: UniversalServerResponse, response: NodeResponse): Promise<void> {
  const { body, trailer } = result;
  if (body === undefined || trailer === undefined || !isHttp2(response)) {
    return universalResponseToNodeResponse(result, response);
  }
  const messages = body[Symbol.asyncIterator]();
  const first = await messages.next();
  if (first.done !== true) {
    return universalResponseToNodeResponse({ ...result, body: resumed(first, messages) }, response);
  }
  response.statusCode = result.status;
  for (const headers of [result.header, trailer]) {
    headers?.forEach((value, name) => response.setHeader(name, value));
  }
  response.end();
}

/** An iterable that was looked into, as it was before. */
function resumed<Item>(first: IteratorResult<Item>, rest: AsyncIterator<Item>): AsyncIterable<Item> {
  let isFirst = true;
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => {
        const next = isFirst ? Promise.resolve(first) : rest.next();
        isFirst = false;
        return next;
      },
      return: (value) => rest.return?.(value) ?? Promise.resolve({ done: true, value }),
      throw: (error) => rest.throw?.(error) ?? Promise.reject(error),
    }),
  };
}

function isHttp2(response: NodeResponse): response is Http2ServerResponse {
  return 'stream' in response;
}

/** gRPC clients want a status, others an HTTP code. */
function answerUnknown(request: NodeRequest, response: NodeResponse): void {
  if (request.headers['content-type']?.startsWith('application/grpc')) {
    response.statusCode = 200;
    response.setHeader('content-type', 'application/grpc');
    response.setHeader('grpc-status', String(Code.Unimplemented));
    response.setHeader('grpc-message', 'no such RPC');
  } else {
    response.statusCode = 404;
  }
  response.end();
}
