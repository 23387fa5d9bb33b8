import { type ExecSpan, type IdGenerator, unreachable } from '@spanwise/kernel';
import { type Message, type PartContent, role } from '../domain/message/message.ts';
import { streamIncomplete } from '../domain/model/model-errors.ts';
import type { ModelPart, StopReason } from '../domain/model/model-part.ts';
import type { TokenUsage } from '../domain/model/token-usage.ts';
import { type AbandonReason, abandonReason } from '../domain/run/run-event.ts';
import type { ModelCall } from '../domain/tool/call-batch.ts';
import type { RunLog } from './run-log.ts';
import { StreamedBlock } from './streamed-block.ts';

/** What a model answered, complete. */
export interface ModelAnswer {
  /** Undefined when the model said nothing at all. */
  readonly message: Message | undefined;
  readonly calls: readonly ModelCall[];
  readonly reason: StopReason;
  /** As the provider calls it. */
  readonly rawReason: string;
  /** Undefined when the stream was ended from here. */
  readonly usage: TokenUsage | undefined;
  /** UTF-8 bytes of text, reasoning and arguments. */
  readonly bytes: number;
}

export interface StreamTurnDeps {
  readonly log: RunLog;
  /** The span of the model call. */
  readonly span: ExecSpan;
  readonly runId: string;
  readonly ids: Pick<IdGenerator, 'uuid'>;
}

/** Bytes of one message; beyond it the answer counts as cut at its token limit, because it has to fit into one frame. */
const maxMessageBytes = 4 * 1024 * 1024;

/** Turns the parts of one model call into events, block by block, and at the end into the message. */
export class StreamTurn {
  readonly messageId: string;
  readonly #deps: StreamTurnDeps;
  readonly #blocks: StreamedBlock[] = [];
  readonly #calls = new Map<string, StreamedBlock>();
  #text: StreamedBlock | undefined;
  #reasoning: StreamedBlock | undefined;
  #bytes = 0;
  #usage: TokenUsage | undefined;
  #finish: { readonly reason: StopReason; readonly raw: string } | undefined;

  constructor(deps: StreamTurnDeps) {
    this.#deps = deps;
    this.messageId = deps.ids.uuid();
  }

  /** Whether watchers have seen something of the message. */
  get hasShown(): boolean {
    return this.#blocks.length > 0;
  }

  /** Takes the next part. Returns false when the message is full and no more is taken. */
  accept(part: ModelPart): boolean {
    switch (part.type) {
      case 'text-start':
        this.#text ??= this.#open('text');
        break;
      case 'text-delta':
        this.#append((this.#text ??= this.#open('text')), part.text);
        break;
      case 'text-end':
        this.#text = this.#end(this.#text);
        break;
      case 'reasoning-start':
        this.#reasoning ??= this.#open('reasoning');
        break;
      case 'reasoning-delta':
        this.#append((this.#reasoning ??= this.#open('reasoning')), part.text);
        break;
      case 'reasoning-end':
        this.#reasoning = this.#end(this.#reasoning, part.providerState);
        break;
      case 'tool-call-start':
        this.#call(part.id, part.name);
        break;
      case 'tool-call-delta':
        this.#append(this.#call(part.id), part.text);
        break;
      case 'tool-call-end':
        this.#endCall(part.id, part.name, part.argumentsJson);
        break;
      case 'usage':
        this.#usage = part.usage;
        break;
      case 'finish':
        this.#finish = part;
        break;
      default:
        unreachable(part);
    }
    if (this.#bytes > maxMessageBytes) {
      this.#finish = { reason: 'length', raw: 'max_message_bytes' };
      return false;
    }
    return true;
  }

  /** Ends what is open and returns the answer. Throws STREAM_INCOMPLETE when the model did not say why it stopped. */
  complete(): ModelAnswer {
    const finish = this.#finish;
    if (finish === undefined) {
      throw streamIncomplete('the stream ended without a stop reason');
    }
    this.#endAll();
    const contents = this.#blocks.filter(({ hasContent }) => hasContent).map((block) => block.part());
    if (contents.length === 0) {
      this.abandon(abandonReason.runEnded);
    }
    return {
      message: this.#messageOf(contents),
      calls: callsOf(contents, finish.reason),
      reason: finish.reason,
      rawReason: finish.raw,
      usage: this.#usage,
      bytes: this.#bytes,
    };
  }

  /** Ends what is open and voids what was shown. */
  abandon(reason: AbandonReason): void {
    this.#endAll();
    if (this.hasShown) {
      const value = { messageId: this.messageId, reason };
      this.#deps.log.say(this.#deps.span, { case: 'messageAbandoned', value });
    }
  }

  #open(kind: StreamedBlock['kind'], tool = ''): StreamedBlock {
    const { log, span, ids } = this.#deps;
    const block = new StreamedBlock(kind, ids.uuid(), tool);
    this.#blocks.push(block);
    log.say(span, block.start(this.messageId));
    return block;
  }

  #call(id: string, name = ''): StreamedBlock {
    let block = this.#calls.get(id);
    if (block === undefined) {
      block = this.#open('toolCall', name);
      this.#calls.set(id, block);
    }
    return block;
  }

  #endCall(id: string, name: string, argumentsJson: string): void {
    const block = this.#call(id, name);
    if (block.content.length === 0) {
      this.#append(block, argumentsJson);
    }
    this.#end(block);
  }

  #append(block: StreamedBlock, text: string): void {
    const before = block.content.length;
    const piece = block.content.append(text);
    if (piece !== undefined) {
      this.#bytes += block.content.length - before;
      this.#deps.log.delta(this.#deps.span, block.delta(piece));
    }
  }

  #end(block: StreamedBlock | undefined, providerState?: Uint8Array): undefined {
    if (block?.isOpen === true) {
      const { log, span } = this.#deps;
      const rest = block.content.end();
      if (rest !== undefined) {
        log.delta(span, block.delta(rest));
      }
      block.isOpen = false;
      block.providerState = providerState === undefined ? block.providerState : new Uint8Array(providerState);
      log.end(span, block.end());
    }
  }

  #endAll(): void {
    for (const block of this.#blocks) {
      this.#end(block);
    }
  }

  #messageOf(contents: readonly PartContent[]): Message | undefined {
    const { runId } = this.#deps;
    const parts = contents.map((part) => ({ part }));
    return parts.length === 0 ? undefined : { id: this.messageId, role: role.assistant, runId, parts };
  }
}

/**
 * The calls of a message. At the token limit its last part is cut, and so is every other call whose arguments are no
 * JSON, because calls may be streamed side by side.
 */
function callsOf(contents: readonly PartContent[], reason: StopReason): readonly ModelCall[] {
  const isCut = (argumentsJson: string, index: number) =>
    reason === 'length' && (index === contents.length - 1 || !isJson(argumentsJson));
  return contents.flatMap((part, index) =>
    part.case === 'toolCall' ? [{ ...part.value, isCut: isCut(part.value.argumentsJson, index) }] : [],
  );
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
