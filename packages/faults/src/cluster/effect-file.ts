import { closeSync, openSync, writeSync } from 'node:fs';
import type { EffectLine } from './effect-line.ts';

/** The world that tools of the suite change: lines that are only ever appended, by several processes. */
export class EffectFile implements Disposable {
  readonly #file: number;

  constructor(path: string) {
    // Appending less than a page is atomic: lines of several processes do not mix.
    this.#file = openSync(path, 'a');
  }

  /** Has had its effect when it returns: nothing of it is in a buffer of the process. */
  write(kind: string, key: string, phase: EffectLine['phase']): void {
    const [run = '', call = ''] = key.split(':');
    const line: EffectLine = { time: Date.now(), kind, session: '', run, call, key, phase, pid: process.pid };
    writeSync(this.#file, `${JSON.stringify(line)}\n`);
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }
}
