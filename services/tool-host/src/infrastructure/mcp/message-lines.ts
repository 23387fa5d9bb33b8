import { type JSONRPCMessage, parseJSONRPCMessage } from '@modelcontextprotocol/client';

export interface MessageLinesDeps {
  readonly onMessage: (message: JSONRPCMessage) => void;
  /** Told of lines that are no messages. */
  readonly onRubbish: () => void;
}

/** Bytes of one message. */
const maxLineBytes = 4 * 1024 * 1024;
/** Of a line that is too long: where the id of an answer usually is. */
const edgeBytes = 512;

/** What an answer is told by that is too long to be read; not one of the codes of the protocol. */
export const answerTooLongCode = -32_099;
/** What an answer is told by that is none. */
export const answerUnusableCode = -32_097;

/**
 * Messages of JSON-RPC, a line each. A line that is too long is passed over in constant memory; when it is an answer whose id
 * can be seen, whoever waits for it is told so in its place.
 */
export class MessageLines {
  readonly #deps: MessageLinesDeps;
  #parts: Buffer[] = [];
  #bytes = 0;
  /** Both ends of a line that is too long. */
  #head = '';
  #tail = Buffer.alloc(0);

  constructor(deps: MessageLinesDeps) {
    this.#deps = deps;
  }

  append(chunk: Buffer): void {
    let begin = 0;
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, begin)) {
      this.#keep(chunk.subarray(begin, end));
      this.#endLine();
      begin = end + 1;
    }
    this.#keep(chunk.subarray(begin));
  }

  #keep(part: Buffer): void {
    this.#bytes += part.length;
    if (this.#bytes <= maxLineBytes) {
      this.#parts.push(part);
      return;
    }
    if (this.#head === '') {
      const read = Buffer.concat([...this.#parts, part.subarray(0, edgeBytes)]);
      this.#head = read.toString('utf8', 0, edgeBytes);
      this.#tail = Buffer.concat(this.#parts).subarray(-edgeBytes);
      this.#parts = [];
    }
    this.#tail = Buffer.concat([this.#tail, part.subarray(-edgeBytes)]).subarray(-edgeBytes);
  }

  #endLine(): void {
    const isTooLong = this.#bytes > maxLineBytes;
    const line = isTooLong ? '' : Buffer.concat(this.#parts).toString('utf8').trim();
    const id = isTooLong ? idOf(this.#head, this.#tail.toString('utf8')) : undefined;
    this.#parts = [];
    this.#bytes = 0;
    this.#head = '';
    if (isTooLong) {
      this.#tellTooLong(id);
    } else if (line !== '') {
      this.#tell(line);
    }
  }

  #tell(line: string): void {
    let value: unknown;
    let message: JSONRPCMessage;
    try {
      value = JSON.parse(line);
      message = parseJSONRPCMessage(value);
    } catch {
      this.#tellUnusable(value);
      return;
    }
    this.#deps.onMessage(message);
  }

  /** An answer with a wrong body is still one to whoever waits for it. */
  #tellUnusable(value: unknown): void {
    const isAnswer = typeof value === 'object' && value !== null && 'id' in value && !('method' in value);
    if (!isAnswer || typeof value.id !== 'number') {
      this.#deps.onRubbish();
      return;
    }
    const error = { code: answerUnusableCode, message: 'the answer is no message' };
    this.#deps.onMessage({ jsonrpc: '2.0', id: value.id, error });
  }

  #tellTooLong(id: number | undefined): void {
    if (id === undefined) {
      this.#deps.onRubbish();
      return;
    }
    this.#deps.onMessage({
      jsonrpc: '2.0',
      id,
      error: { code: answerTooLongCode, message: `the answer is over ${maxLineBytes} bytes` },
    });
  }
}

/** Our ids are numbers. It stands before the result or after it. */
function idOf(head: string, tail: string): number | undefined {
  const found = /^\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(\d{1,15})\s*,/.exec(head);
  const [, id] = found ?? /"id"\s*:\s*(\d{1,15})\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*$/.exec(tail) ?? [];
  return id === undefined ? undefined : Number(id);
}
