/** How tools of servers were described when they were first seen, by hash: the same for all replicas, and after a restart. */
export interface ToolPins {
  /**
   * The hashes that count, by the names of the tools on the server: those that were kept before, and for tools that were
   * never seen the given ones, which are kept from now on. One that is missing in the answer is not kept, because the server
   * has too many. Throws DATABASE_UNAVAILABLE.
   */
  see(server: string, hashes: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, string>>;
  /** Replaces what counts for a tool: its operator allows the new description. Throws DATABASE_UNAVAILABLE. */
  allow(server: string, tool: string, hash: string): Promise<void>;
}

/** Tools of one server that are kept: one that names its tools anew again and again fills nothing. */
export const maxPinsPerServer = 2000;

/** Pins of a process alone, for tests. */
export class InMemoryToolPins implements ToolPins {
  readonly #servers = new Map<string, Map<string, string>>();

  async see(server: string, hashes: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, string>> {
    const kept = this.#kept(server);
    for (const [tool, hash] of hashes) {
      if (!kept.has(tool) && kept.size < maxPinsPerServer) {
        kept.set(tool, hash);
      }
    }
    return new Map(kept);
  }

  async allow(server: string, tool: string, hash: string): Promise<void> {
    this.#kept(server).set(tool, hash);
  }

  #kept(server: string): Map<string, string> {
    const kept = this.#servers.get(server) ?? new Map<string, string>();
    this.#servers.set(server, kept);
    return kept;
  }
}
