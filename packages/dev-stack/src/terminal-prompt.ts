import { createInterface, type Interface } from 'node:readline/promises';
import { Writable } from 'node:stream';

export interface TerminalPromptOptions {
  readonly input: NodeJS.ReadableStream;
  readonly output: Writable & { readonly isTTY?: boolean };
}

/** Asks a person at a terminal, line by line. What is secret is neither shown while it is typed nor kept in the history. */
export class TerminalPrompt implements Disposable {
  readonly #lines: Interface;
  readonly #output: Writable;
  #isSecret = false;

  constructor({ input, output }: TerminalPromptOptions) {
    this.#output = output;
    const shown = new Writable({
      write: (chunk: Uint8Array, _, done) => {
        if (!this.#isSecret) {
          output.write(chunk);
        }
        done();
      },
    });
    this.#lines = createInterface({ input, output: shown, terminal: output.isTTY === true });
    this.#lines.on('history', (history: string[]) => {
      if (this.#isSecret) {
        history.shift();
      }
    });
  }

  /** `close`: the input has ended; `SIGINT`: Ctrl-C. */
  on(event: 'close' | 'SIGINT', react: () => void): void {
    this.#lines.on(event, react);
  }

  /** One line. Rejects when the signal aborts. */
  ask(question: string, signal: AbortSignal): Promise<string> {
    return this.#lines.question(question, { signal });
  }

  /** One line that nobody is to see. Rejects when the signal aborts. */
  async askSecret(question: string, signal: AbortSignal): Promise<string> {
    this.#output.write(question);
    this.#isSecret = true;
    try {
      return (await this.#lines.question('', { signal })).trim();
    } finally {
      this.#isSecret = false;
      this.#output.write('\n');
    }
  }

  [Symbol.dispose](): void {
    this.#lines.close();
  }
}
