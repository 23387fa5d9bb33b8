import type { ProviderFault } from './run-script.ts';

/** One request to the provider, and what became of the answer. */
export interface ProviderAnswer {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** Id of the script; empty when the request had none. */
  readonly script: string;
  readonly turn: number;
  /** The key that it was asked with: the suite gives every replica of the runtime its name. */
  readonly caller: string;
  /** Rules of providers that the transcript broke: then it was refused. */
  readonly transcriptFaults: readonly string[];
  /** Marks of the scripts whose runs the transcript had messages of: see `scriptMark`. */
  readonly heard: readonly string[];
  readonly fault: ProviderFault | undefined;
  /** Whether the answer was sent to its end, with its stop reason. */
  hasStopped: boolean;
  /** Whether the client hung up before the end. */
  isAbandoned: boolean;
  /** When each delta was sent: UTF-8 bytes of the text so far and the monotonic clock; */
  readonly sent: { readonly bytes: number; readonly monotonicMs: number }[];
}

/** What was asked of the provider, in the order of time. */
export class ProviderLog {
  readonly answers: ProviderAnswer[] = [];
  readonly #tries = new Map<string, number>();

  begin(
    request: Pick<ProviderAnswer, 'script' | 'turn' | 'caller' | 'transcriptFaults' | 'heard' | 'fault'>,
  ): ProviderAnswer {
    const answer: ProviderAnswer = {
      ...request,
      atMs: Date.now(),
      hasStopped: false,
      isAbandoned: false,
      sent: [],
    };
    this.answers.push(answer);
    return answer;
  }

  /** The answer that is going on, or was given last, to a script. */
  latest(script: string): ProviderAnswer | undefined {
    return this.answers.findLast((answer) => answer.script === script);
  }

  /** How often a turn was asked for before; counts this time. */
  tries(script: string, turn: number): number {
    const key = `${script}:${turn}`;
    const before = this.#tries.get(key) ?? 0;
    this.#tries.set(key, before + 1);
    return before;
  }
}
