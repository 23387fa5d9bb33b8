import type { Clock } from '@spanwise/kernel';
import type { Tool } from '../../domain/tool/tool.ts';

/** Keeps tool-host's list for some seconds, so that a run costs no round trip for it. */
export class ToolListCache {
  readonly #clock: Clock;
  readonly #keepMs: number;
  #kept: { readonly tools: readonly Tool[]; readonly atMs: number } | undefined;
  #loading: Promise<readonly Tool[]> | undefined;

  constructor({ clock, keepMs }: { readonly clock: Clock; readonly keepMs: number }) {
    this.#clock = clock;
    this.#keepMs = keepMs;
  }

  /** The kept list while it is fresh; otherwise a new one, asked for once for all who wait; the old one if that fails. */
  async get(load: () => Promise<readonly Tool[]>): Promise<readonly Tool[]> {
    const kept = this.#kept;
    if (kept !== undefined && this.#clock.monotonicMs() - kept.atMs < this.#keepMs) {
      return kept.tools;
    }
    this.#loading ??= this.#load(load);
    try {
      return await this.#loading;
    } catch (error) {
      if (kept !== undefined) {
        return kept.tools;
      }
      throw error;
    }
  }

  async #load(load: () => Promise<readonly Tool[]>): Promise<readonly Tool[]> {
    try {
      const tools = await load();
      this.#kept = { tools, atMs: this.#clock.monotonicMs() };
      return tools;
    } finally {
      this.#loading = undefined;
    }
  }
}
