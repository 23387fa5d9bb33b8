import { BlockText } from '../clients/block-text.ts';
import type { EventRow } from '../evidence/evidence.ts';

/** The text of the blocks as the table has it. */
export interface StoredTexts {
  /** By block id. */
  readonly texts: ReadonlyMap<string, string>;
  /** Seq of MESSAGE by message id. */
  readonly committed: ReadonlyMap<string, number>;
  /** Chunks that do not fit together. */
  readonly faults: readonly string[];
}

/** Joins the chunks of each block. */
export function storedTexts(events: readonly EventRow[]): StoredTexts {
  const blocks = new Map<string, BlockText>();
  const committed = new Map<string, number>();
  const faults: string[] = [];
  for (const { event, sessionId, seq } of events) {
    const { data } = event;
    const say = (what: string) => faults.push(`seq ${seq} of session ${sessionId}: ${what}`);
    switch (data.case) {
      case 'textStart':
      case 'reasoningStart':
        blocks.set(data.value.blockId, new BlockText(data.value.messageId));
        break;
      case 'toolCallStart':
        blocks.set(data.value.callId, new BlockText(data.value.messageId));
        break;
      case 'textDelta':
      case 'reasoningDelta':
        append(blocks.get(data.value.blockId), data.value, say);
        break;
      case 'toolCallDelta':
        append(blocks.get(data.value.callId), data.value, say);
        break;
      case 'textEnd':
      case 'reasoningEnd':
        if (Number(data.value.length) !== blocks.get(data.value.blockId)?.byteLength) {
          say(`block ${data.value.blockId} is not as long as it says`);
        }
        break;
      case 'message':
        committed.set(data.value.messageId, seq);
        break;
      default:
        break;
    }
  }
  return { texts: new Map([...blocks].map(([id, { text }]) => [id, text])), committed, faults };
}

function append(
  block: BlockText | undefined,
  delta: { readonly offset: bigint; readonly text: string; readonly elidedBytes: bigint },
  say: (what: string) => void,
): void {
  if (block === undefined) {
    say('a chunk of a block that was not opened');
  } else if (delta.elidedBytes > 0n) {
    say('a stored chunk is elided');
  } else if (Number(delta.offset) !== block.byteLength) {
    say(`a chunk at ${delta.offset} of a block that has ${block.byteLength} bytes`);
  } else {
    block.apply(delta);
  }
}
