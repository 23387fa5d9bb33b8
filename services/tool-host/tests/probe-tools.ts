import type { Tool, ToolContext, ToolEffect } from '@spanwise/tool-kit/contract';
import { type ProbeWork, probe } from './probe.ts';

const effects = { look: 'READ_ONLY', again: 'IDEMPOTENT', once: 'NON_REPEATABLE', deaf: 'NON_REPEATABLE' } as const;

export type ProbeName = keyof typeof effects;

/** Tools that are at work until they are released, and count how often they were called; `deaf` ignores its signal. */
export class ProbeTools {
  readonly counts: Record<string, number> = {};
  readonly #begun = new Map<string, PromiseWithResolvers<ToolContext>>();
  readonly #stopped = new Map<string, PromiseWithResolvers<void>>();
  readonly #gates = new Map<string, PromiseWithResolvers<void>>();

  readonly tools: readonly Tool[] = Object.entries(effects).map(([name, effect]) => this.#tool(name, effect));

  /** Resolves when the tool is, or has been, at work. */
  async begun(name: string): Promise<void> {
    await signalOf(this.#begun, name).promise;
  }

  /** Resolves when the tool is, or has been, told to stop. */
  stopped(name: string): Promise<void> {
    return signalOf(this.#stopped, name).promise;
  }

  release(name: string): void {
    signalOf(this.#gates, name).resolve();
  }

  releaseAll(): void {
    Object.keys(effects).forEach((name) => this.release(name));
  }

  /** What the files of a deaf tool say to it after its call. */
  async filesOfDeaf(): Promise<unknown> {
    const { files } = await signalOf(this.#begun, 'deaf').promise;
    return files.stat('/workspace');
  }

  #tool(name: string, effect: ToolEffect): Tool {
    const execute: ProbeWork = async (context) => {
      this.counts[name] = (this.counts[name] ?? 0) + 1;
      const text = `${name}: ${this.counts[name]}`;
      signalOf(this.#begun, name).resolve(context);
      const { promise: aborted, reject } = Promise.withResolvers<never>();
      const stop = () => {
        signalOf(this.#stopped, name).resolve();
        reject(context.signal.reason);
      };
      if (name !== 'deaf') {
        context.signal.addEventListener('abort', stop, { once: true });
      }
      await Promise.race([signalOf(this.#gates, name).promise, aborted]);
      return { text };
    };
    return probe({ name, effect, execute });
  }
}

function signalOf<Value>(signals: Map<string, PromiseWithResolvers<Value>>, name: string): PromiseWithResolvers<Value> {
  const signal = signals.get(name) ?? Promise.withResolvers<Value>();
  signals.set(name, signal);
  return signal;
}
