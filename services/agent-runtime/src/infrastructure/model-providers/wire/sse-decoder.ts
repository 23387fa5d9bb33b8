import { streamIncomplete } from '../../../domain/model/model-errors.ts';

/** Characters of one line; a longer one is no chunk of a model's answer. */
const maxLineLength = 8 * 1024 * 1024;

/**
 * Splits the bytes of a `text/event-stream` into the data of its events. Takes bytes in any pieces, all three line ends,
 * comments and unknown fields. Costs a third of the decoder of the `openai` package, which awaits each event alone.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export class SseDecoder {
  readonly #utf8 = new TextDecoder();
  #rest = '';
  #data: string | undefined;

  /** The data of the events that these bytes complete. Throws STREAM_INCOMPLETE when a line is absurdly long. */
  decode(bytes: Uint8Array): readonly string[] {
    return this.#split(this.#utf8.decode(bytes, { stream: true }));
  }

  /** The data of the last event, when the stream ended without the empty line after it. */
  end(): readonly string[] {
    return this.#split(`${this.#utf8.decode()}\n\n`);
  }

  #split(added: string): readonly string[] {
    let text = this.#rest + added;
    // A carriage return at the end may be half of a line end.
    const isHalf = text.endsWith('\r');
    if (text.includes('\r')) {
      text = (isHalf ? text.slice(0, -1) : text).replaceAll(/\r\n?/g, '\n');
    }
    const events: string[] = [];
    let start = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      this.#line(text.slice(start, end), events);
      start = end + 1;
    }
    this.#rest = text.slice(start) + (isHalf ? '\r' : '');
    if (this.#rest.length > maxLineLength) {
      throw streamIncomplete('a line of the stream is too long');
    }
    return events;
  }

  #line(line: string, events: string[]): void {
    if (line === '') {
      if (this.#data !== undefined) {
        events.push(this.#data);
        this.#data = undefined;
      }
    } else if (line.startsWith('data:')) {
      const value = line.slice(line.startsWith('data: ') ? 6 : 5);
      this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`;
    }
  }
}
