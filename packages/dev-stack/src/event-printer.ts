import type { AgentEvent } from '@spanwise/contracts/spanwise/event/v1/event';
import { ToolOutcome } from '@spanwise/contracts/spanwise/type/v1/message';

export interface PrinterOptions {
  readonly write: (text: string) => void;
  readonly hasColor: boolean;
}

const maxInput = 100;

/** Shows events as a person wants to read them: text as it streams, one line for a tool call, one for its result. */
export class EventPrinter {
  readonly #options: PrinterOptions;
  readonly #tools = new Map<string, string>();
  #isInText = false;

  constructor(options: PrinterOptions) {
    this.#options = options;
  }

  print({ data }: AgentEvent): void {
    switch (data.case) {
      case 'runStart':
        this.#line(this.#dim(`run of agent "${data.value.agent}"`));
        break;
      case 'textDelta':
        this.#text(data.value.text);
        break;
      case 'reasoningDelta':
        this.#text(this.#dim(data.value.text));
        break;
      case 'textEnd':
      case 'reasoningEnd':
        this.#endText();
        break;
      case 'toolCallStart':
        this.#tools.set(data.value.callId, data.value.tool);
        break;
      case 'toolCallEnd':
        this.#line(`  ▸ ${this.#bold(this.#tools.get(data.value.callId) ?? '')} ${short(data.value.argumentsJson)}`);
        break;
      case 'toolResult':
        this.#result(data.value.callId, data.value.outcome, data.value.content);
        break;
      case 'messageAbandoned':
        this.#line(this.#dim('  (the model was interrupted; what it said is void)'));
        break;
      case 'runAttempt':
        this.#line(this.#dim(`(attempt ${data.value.attempt}: what was not complete is void)`));
        break;
      case 'interrupt':
        this.#line(`\n${data.value.interrupt?.message ?? ''}\n`);
        break;
      case 'runEnd':
        this.#line(this.#dim(`run ${data.value.outcome === 1 ? 'completed' : 'cancelled'}`));
        break;
      case 'runError':
        this.#line(`run failed: ${data.value.error?.message ?? 'no reason given'}`);
        break;
      default:
        break;
    }
  }

  #result(callId: string, outcome: ToolOutcome, content: readonly { content: { value?: string | undefined } }[]): void {
    const mark = outcome === ToolOutcome.OK ? '✓' : '✗';
    const text = content.map((part) => part.content.value ?? '').join('');
    this.#line(this.#dim(`  ${mark} ${this.#tools.get(callId) ?? ''}: ${short(text)}`));
  }

  #text(text: string): void {
    this.#isInText ||= text !== '';
    this.#options.write(text);
  }

  #endText(): void {
    if (this.#isInText) {
      this.#options.write('\n');
      this.#isInText = false;
    }
  }

  #line(text: string): void {
    this.#endText();
    this.#options.write(`${text}\n`);
  }

  #dim(text: string): string {
    return this.#options.hasColor ? `\u001B[2m${text}\u001B[22m` : text;
  }

  #bold(text: string): string {
    return this.#options.hasColor ? `\u001B[1m${text}\u001B[22m` : text;
  }
}

function short(text: string): string {
  const line = text.trim().replace(/\s+/g, ' ');
  return line.length > maxInput ? `${line.slice(0, maxInput)}…` : line;
}
