import type { AgentEvent } from '@spanwise/contracts/spanwise/event/v1/event';
import type { Approval, Interrupt } from '@spanwise/contracts/spanwise/type/v1/interrupt';
import { ToolOutcome } from '@spanwise/contracts/spanwise/type/v1/message';

export interface PrinterOptions {
  readonly write: (text: string) => void;
  readonly hasColor: boolean;
}

const maxInput = 100;
/** What tells of a text, or voids it. */
const textCases: ReadonlySet<AgentEvent['data']['case']> = new Set([
  'textDelta',
  'textEnd',
  'reasoningDelta',
  'reasoningEnd',
  'toolProgress',
  'messageAbandoned',
]);

/**
 * Shows events as a person wants to read them: text as it streams, one line for a tool call, one for its result. Of agents
 * that work on delegated tasks only their calls are shown, further in: what they say is for the agent that asked.
 */
export class EventPrinter {
  readonly #options: PrinterOptions;
  readonly #tools = new Map<string, string>();
  #isInText = false;
  /** In front of what is told of a call. */
  #margin = '';

  constructor(options: PrinterOptions) {
    this.#options = options;
  }

  print({ data, threadId }: AgentEvent): void {
    if (threadId !== '' && textCases.has(data.case)) {
      return;
    }
    this.#margin = threadId === '' ? '  ' : '    ';
    switch (data.case) {
      case 'runStart':
        this.#line(this.#dim(`run of agent "${data.value.agent}"`));
        break;
      case 'textDelta':
        this.#text(printable(data.value.text));
        break;
      case 'reasoningDelta':
        this.#text(this.#dim(printable(data.value.text)));
        break;
      case 'textEnd':
      case 'reasoningEnd':
        this.#endText();
        break;
      case 'toolCallStart':
        this.#tools.set(data.value.callId, data.value.tool);
        break;
      case 'toolCallEnd':
        this.#line(
          `${this.#margin}▸ ${this.#bold(this.#tools.get(data.value.callId) ?? '')} ${short(data.value.argumentsJson)}`,
        );
        break;
      case 'toolProgress':
        this.#text(this.#dim(printable(data.value.output)));
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
        this.#interrupt(data.value.interrupt);
        break;
      case 'runEnd':
        this.#line(this.#dim(`run ${data.value.outcome === 1 ? 'completed' : 'cancelled'}`));
        break;
      case 'runError':
        this.#line(`run failed: ${printable(data.value.error?.message ?? 'no reason given')}`);
        break;
      default:
        break;
    }
  }

  /** What is to be approved is shown whole: nobody approves what they have not seen. */
  #interrupt(interrupt: Interrupt | undefined): void {
    const asked = interrupt?.approval;
    const what = asked === undefined ? (interrupt?.message ?? '') : toApprove(asked);
    this.#line(`\n${printable(what)}\n`);
  }

  #result(callId: string, outcome: ToolOutcome, content: readonly { content: { value?: string | undefined } }[]): void {
    const mark = outcome === ToolOutcome.OK ? '✓' : '✗';
    const text = content.map((part) => part.content.value ?? '').join('');
    this.#line(this.#dim(`${this.#margin}${mark} ${this.#tools.get(callId) ?? ''}: ${short(text)}`));
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

function toApprove({ title, tool, argumentsJson, targets }: Approval): string {
  return [`${title} (${tool})`, argumentsJson, ...targets.map((target) => `  touches ${target}`)].join('\n');
}

/** Nothing of a model, a tool or a page gets to steer the terminal: control characters but line ends and tabs are shown. */
function printable(text: string): string {
  return text.replaceAll(/(?![\n\t])[\p{Cc}\p{Bidi_Control}]/gu, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

function short(text: string): string {
  const line = printable(text.trim().replace(/\s+/g, ' '));
  return line.length > maxInput ? `${line.slice(0, maxInput)}…` : line;
}
