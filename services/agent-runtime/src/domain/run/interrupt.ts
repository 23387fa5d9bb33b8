/** Something that only the owner of the session can answer: `spanwise.type.v1.Interrupt`. Made by tool-host. */
export interface Interrupt {
  /** UUID v7, unique in the session. */
  readonly id: string;
  /** A number of `spanwise.type.v1.InterruptKind`. */
  readonly kind: number;
  /** The call that waits. */
  readonly callId: string;
  /** What is asked, for people. */
  readonly message: string;
  /** JSON Schema of the answer, as JSON text; empty = any JSON value. */
  readonly schemaJson: string;
  /** When the run goes on without an answer; undefined = never. */
  readonly expireTime?: { readonly seconds: bigint; readonly nanos: number } | undefined;
  /** The call that is to be approved, as tool-host says it: `spanwise.type.v1.Approval`. */
  readonly approval?: object | undefined;
}

/** What became of an interrupt: `spanwise.type.v1.InterruptAnswer`. */
export interface InterruptAnswer {
  readonly interruptId: string;
  /** The call that waits for it. */
  readonly callId: string;
  /** JSON text; empty when expired. */
  readonly answerJson: string;
  readonly expired: boolean;
  readonly answeredBy: string;
}
