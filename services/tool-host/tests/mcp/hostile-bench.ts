import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ToolServer } from '../../src/infrastructure/servers/tool-server.ts';
import { type BenchOptions, McpBench, nodeProgram, toolServer } from './mcp-bench.ts';

const program = fileURLToPath(new URL('hostile-server.mjs', import.meta.url));

/** Hostile servers of one file of tests, in a folder of their own. */
export class HostileServers implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'spanwise-hostile-'));
  #benches: McpBench[] = [];
  #notes = 0;

  /** A bench with one server `bad` that behaves as `mode` says. */
  start(mode: string, file = '', facts: Partial<ToolServer> = {}, options: BenchOptions = {}): McpBench {
    return this.keep(new McpBench([toolServer('bad', nodeProgram(program, [mode, file]), facts)], options));
  }

  keep(bench: McpBench): McpBench {
    this.#benches.push(bench);
    return bench;
  }

  /** A file in which a server notes what it sees. */
  noteFile(): string {
    this.#notes += 1;
    return join(this.#folder, `notes-${this.#notes}`);
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.#benches.map((bench) => bench[Symbol.asyncDispose]()));
    this.#benches = [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopAll();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export function notesIn(file: string): readonly string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
}

export function pidsIn(file: string, what = 'pid'): readonly number[] {
  return notesIn(file).flatMap((line) => (line.startsWith(`${what} `) ? [Number(line.slice(what.length))] : []));
}
