import type { Clock } from '@spanwise/kernel';
import type { Tool } from '../../domain/tool/tool.ts';

/** A list of tools, and whether another user may be told of other ones. */
export interface ToolList {
  readonly tools: readonly Tool[];
  readonly isPerUser: boolean;
}

interface KeptList {
  readonly tools: readonly Tool[];
  readonly atMs: number;
}

/** Users whose lists are kept. */
const maxUsers = 1000;

/** Keeps tool-host's list for some seconds, so that a run costs no round trip for it: one for all users if it may. */
export class ToolListCache {
  readonly #clock: Clock;
  readonly #keepMs: number;
  readonly #kept = new Map<string, KeptList>();
  readonly #loading = new Map<string, Promise<readonly Tool[]>>();
  /** What tool-host said last; nobody is told of what was meant for somebody else. */
  #isPerUser = false;

  constructor({ clock, keepMs }: { readonly clock: Clock; readonly keepMs: number }) {
    this.#clock = clock;
    this.#keepMs = keepMs;
  }

  /** The kept list while it is fresh; otherwise a new one, asked for once for all who wait; the old one if that fails. */
  async get(uid: string, load: () => Promise<ToolList>): Promise<readonly Tool[]> {
    const key = this.#isPerUser ? uid : '';
    const kept = this.#kept.get(key);
    if (kept !== undefined && this.#clock.monotonicMs() - kept.atMs < this.#keepMs) {
      return kept.tools;
    }
    const loading = this.#loading.get(key) ?? this.#load(key, uid, load);
    this.#loading.set(key, loading);
    try {
      const tools = await loading;
      // Whoever waited for a list that turned out to be another user's asks for their own.
      return key === '' && this.#isPerUser ? await this.get(uid, load) : tools;
    } catch (error) {
      if (kept !== undefined) {
        return kept.tools;
      }
      throw error;
    }
  }

  async #load(key: string, uid: string, load: () => Promise<ToolList>): Promise<readonly Tool[]> {
    try {
      const { tools, isPerUser } = await load();
      if (isPerUser !== this.#isPerUser) {
        this.#isPerUser = isPerUser;
        this.#kept.clear();
      }
      this.#keep(isPerUser ? uid : '', { tools, atMs: this.#clock.monotonicMs() });
      return tools;
    } finally {
      this.#loading.delete(key);
    }
  }

  #keep(key: string, list: KeptList): void {
    this.#kept.delete(key);
    this.#kept.set(key, list);
    const [oldest] = this.#kept.size > maxUsers ? this.#kept.keys() : [];
    if (oldest !== undefined) {
      this.#kept.delete(oldest);
    }
  }
}
