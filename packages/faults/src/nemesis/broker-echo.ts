import { connect, type Socket } from 'node:net';
import { type BrokerMessage, readBroker } from './broker-messages.ts';

export interface BrokerEchoOptions {
  readonly port: number;
  /** Milliseconds after which a message is said again, once for each. */
  readonly repeatAfterMs: () => readonly number[];
  /** Told of what was said again. */
  readonly onRepeat: (subject: string, afterMs: number) => void;
}

const reconnectMs = 100;
/** All subjects, answers included, but not what it says itself. */
const greeting = 'CONNECT {"verbose":false,"pedantic":false,"headers":true,"echo":false}\r\nSUB > 1\r\n';

/** Makes the broker deliver everything more than once: hears all messages and publishes them again, as they were. */
export class BrokerEcho implements Disposable {
  readonly #options: BrokerEchoOptions;
  readonly #timers = new Set<NodeJS.Timeout>();
  #socket: Socket | undefined;
  #isOver = false;

  constructor(options: BrokerEchoOptions) {
    this.#options = options;
    this.#connect();
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#timers.forEach(clearTimeout);
    this.#socket?.destroy();
  }

  #connect(): void {
    const socket = connect({ port: this.#options.port, host: '127.0.0.1' });
    this.#socket = socket;
    let rest = '';
    socket.setEncoding('latin1');
    socket.on('error', () => undefined);
    socket.on('connect', () => socket.write(greeting));
    socket.on('data', (said: string) => {
      const speech = readBroker(rest + said);
      rest = speech.rest;
      if (speech.isPinged) {
        socket.write('PONG\r\n');
      }
      speech.messages.forEach((message) => this.#repeat(message));
    });
    socket.on('close', () => this.#later(reconnectMs, () => this.#connect()));
  }

  #repeat({ subject, publish }: BrokerMessage): void {
    for (const afterMs of this.#options.repeatAfterMs()) {
      this.#later(afterMs, () => {
        if (this.#socket?.readyState === 'open') {
          this.#socket.write(publish, 'latin1');
          this.#options.onRepeat(subject, afterMs);
        }
      });
    }
  }

  #later(ms: number, work: () => void): void {
    if (this.#isOver) {
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    this.#timers.add(timer);
  }
}
