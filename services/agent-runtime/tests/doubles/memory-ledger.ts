import type { Timers } from '../../src/application/ports/timers.ts';
import type { FoundExecution, ToolAnswer } from '../../src/application/ports/tool-host.ts';

interface Entry {
  found: FoundExecution;
  /** Resolves when it is not executing any more. */
  readonly over: PromiseWithResolvers<void>;
}

/** What tool-host keeps of the calls that it executes, by call id. */
export class MemoryLedger {
  readonly #entries = new Map<string, Entry>();

  find(callId: string): FoundExecution {
    return this.#entries.get(callId)?.found ?? { state: 'none' };
  }

  begin(callId: string): void {
    this.#entries.set(callId, { found: { state: 'started' }, over: Promise.withResolvers() });
  }

  end(callId: string, answer: ToolAnswer): void {
    this.#settle(
      callId,
      answer.kind === 'result'
        ? { state: 'done', result: answer.result }
        : { state: 'suspended', interrupt: answer.interrupt },
    );
  }

  /** Whoever executed it is gone. */
  lose(callId: string): void {
    this.#settle(callId, { state: 'unknown' });
  }

  /** Whoever executed all that is executing is gone. */
  loseAll(): void {
    this.#entries.forEach((_, callId) => this.lose(callId));
  }

  /** Waits while it is executed, `waitMs` at most. */
  async wait(callId: string, waitMs: number, timers: Timers, signal: AbortSignal): Promise<FoundExecution> {
    const entry = this.#entries.get(callId);
    if (entry?.found.state === 'started') {
      const elapsed = Promise.withResolvers<void>();
      const cancel = timers.after(waitMs, elapsed.resolve);
      signal.addEventListener('abort', () => elapsed.resolve(), { once: true });
      await Promise.race([entry.over.promise, elapsed.promise]);
      cancel();
    }
    return this.find(callId);
  }

  #settle(callId: string, found: FoundExecution): void {
    const entry = this.#entries.get(callId);
    if (entry?.found.state === 'started') {
      entry.found = found;
      entry.over.resolve();
    }
  }
}
