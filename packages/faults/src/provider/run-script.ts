/** What the model does wrong in a turn. */
export type ProviderFault =
  /** Says nothing more after half of its text. */
  | 'stall'
  /** 429 with Retry-After. */
  | 'rate-limit'
  /** 500. */
  | 'server-error'
  /** Resets the connection after half of its text. */
  | 'cut'
  /** Ends the stream after its text without a stop reason. */
  | 'no-stop'
  /** A line that is no JSON in the middle of its text. */
  | 'garbage'
  /** Gives all its calls the same id. */
  | 'duplicate-ids';

/** Calls that the model asks for in a turn. */
export interface ScriptedCall {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** How many such calls; default 1. */
  readonly repeat?: number;
}

/** One answer of the model. */
export interface ScriptedTurn {
  /** Characters of text; default 0. */
  readonly text?: number;
  /** Characters of a delta; default 4. */
  readonly deltaLength?: number;
  /** Between two deltas; default 0. */
  readonly delayMs?: number;
  readonly tools?: readonly ScriptedCall[];
  readonly fault?: ProviderFault;
  /** How often the fault happens before the turn goes well; default 1. */
  readonly times?: number;
}

/** What the model does in a run: travels as JSON in the user's message. */
export interface RunScript {
  /** Unique; by it the log of the provider is found. */
  readonly id: string;
  /** The last one has no tools. */
  readonly turns: readonly ScriptedTurn[];
}

/** What tells the runs of a session apart in a transcript: the end of the script's id, which its texts begin with. */
export function scriptMark(scriptId: string): string {
  return scriptId.slice(-6);
}

/** Marks of the scripts that a message of a transcript is from; texts that are shorter than a mark have none. */
export function marksOf(text: string): readonly string[] {
  const said = /^([0-9a-f]{6})\/\d+ /.exec(text)?.[1];
  const asked = text.split('\n\n').flatMap((piece) => parseScript(piece)?.id ?? []);
  return said === undefined ? asked.map(scriptMark) : [said];
}

/** The text of a turn: always the same for the same script and turn, so that anyone can say what it must be. */
export function turnText(scriptId: string, turn: number, characters: number): string {
  // Two and four UTF-8 bytes among them: offsets count bytes.
  const unit = `${scriptMark(scriptId)}/${turn} ä😀 lorem ipsum dolor `;
  const points = Array.from(unit);
  return Array.from({ length: characters }, (_, index) => points[index % points.length]).join('');
}

/** Reads the script of the last user message; runs that were cancelled before they said anything leave theirs before it. */
export function parseScript(userText: string): RunScript | undefined {
  for (const text of userText.split('\n\n').reverse()) {
    try {
      const script = JSON.parse(text) as RunScript;
      if (typeof script.id === 'string' && Array.isArray(script.turns)) {
        return script;
      }
    } catch {
      // Something that somebody else said.
    }
  }
  return undefined;
}
