import type { FetchLike } from '@modelcontextprotocol/client';
import { answerTooLong, redirected } from './mcp-errors.ts';

/** Bytes of one message of a server: an answer in JSON, or an event of a stream. */
const maxMessageBytes = 4 * 1024 * 1024;
const newline = 0x0a;

/**
 * A `fetch` whose answers are cut off when one of their messages is too long, and that follows no redirect. Rejects, or fails
 * the body, with EGRESS_REFUSED and TOOL_FAILED.
 */
export function boundedFetch(fetch: FetchLike): FetchLike {
  return async (url, init) => {
    const response = await fetch(url, { ...init, redirect: 'manual' });
    if (response.status >= 300 && response.status < 400 && response.status !== 304) {
      await response.body?.cancel();
      throw redirected();
    }
    if (response.body === null) {
      return response;
    }
    const isStream = response.headers.get('content-type')?.toLowerCase().startsWith('text/event-stream') === true;
    const { status, statusText, headers } = response;
    return new Response(response.body.pipeThrough(messageLimit(isStream)), { status, statusText, headers });
  };
}

/** An event of a stream ends with an empty line. */
function messageLimit(isStream: boolean): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  let bytes = 0;
  let isLineEmpty = true;
  const count = (chunk: Uint8Array) => {
    if (!isStream) {
      bytes += chunk.length;
      return;
    }
    let begin = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, begin)) {
      const hasText = end > begin && !(end === begin + 1 && chunk[begin] === 0x0d);
      bytes = isLineEmpty && !hasText ? 0 : bytes + end - begin;
      isLineEmpty = true;
      begin = end + 1;
    }
    const rest = chunk.length - begin;
    isLineEmpty = isLineEmpty && (rest === 0 || (rest === 1 && chunk[begin] === 0x0d));
    bytes += rest;
  };
  return new TransformStream({
    transform(chunk, controller) {
      count(chunk);
      if (bytes > maxMessageBytes) {
        controller.error(answerTooLong(maxMessageBytes));
      } else {
        controller.enqueue(chunk);
      }
    },
  });
}
