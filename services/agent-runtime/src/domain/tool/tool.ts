/** What executing a tool does to the world: only what changes nothing may run beside other calls. */
export type ToolEffect = 'read-only' | 'idempotent' | 'non-repeatable';

/** A tool that a model can be offered. */
export interface Tool {
  /** Unique; the model calls it by this name. */
  readonly name: string;
  /** What it does and when to use it, for the model. */
  readonly description: string;
  /** JSON Schema (2020-12) of its arguments. */
  readonly inputSchema: Readonly<Record<string, unknown>>;
  readonly effect: ToolEffect;
}
