import type { SpanwiseClientOptions } from '@spanwise/client';
import type { AgentEvent } from '@spanwise/contracts/spanwise/event/v1/event';

/** A block of text as it is stored; one that is lost is shown, and never stored, and a RUN_ATTEMPT follows it. */
export interface ToldBlock {
  readonly chunks: readonly string[];
  readonly isLost: boolean;
}

/** How one stream goes. */
export interface Connection {
  /** Up to here rows are told as they are stored; later text is shown first. */
  readonly replayTo: number;
  /** Code points of a live delta. */
  readonly slice: number;
  /** Of a chunk, how much is shown before it is stored: all of it, or less. */
  readonly shownShare: number;
  /** Events after which it breaks. */
  readonly cutAfter: number;
}

/** The rows of a log. */
export function rowsOf(blocks: readonly ToldBlock[]): readonly AgentEvent[] {
  const rows: AgentEvent[] = [];
  const add = (data: object) => rows.push({ seq: BigInt(rows.length + 1), data } as unknown as AgentEvent);
  for (const [index, { chunks, isLost }] of blocks.entries()) {
    const blockId = `block-${index}`;
    add({ case: 'textStart', value: { blockId, messageId: `message-${index}` } });
    let offset = 0;
    for (const text of isLost ? [] : chunks) {
      add({ case: 'textDelta', value: { blockId, offset: BigInt(offset), text, elidedBytes: 0n } });
      offset += Buffer.byteLength(text);
    }
    add(isLost ? { case: 'runAttempt', value: {} } : { case: 'textEnd', value: { blockId, length: BigInt(offset) } });
  }
  return rows;
}

/** A server of a log, whose streams go as given; the last one goes on to the end. Tells the cursors of its streams. */
export function transportOf(blocks: readonly ToldBlock[], connections: readonly Connection[], live: boolean) {
  const cursors: number[] = [];
  async function* open(afterSeq: number): AsyncGenerator {
    const { cutAfter, ...connection } = connections[cursors.length] ?? wholeReplay;
    cursors.push(afterSeq);
    let told = 0;
    for (const event of eventsOf(blocks, afterSeq, live, connection)) {
      if (told >= cutAfter) {
        return;
      }
      told += 1;
      yield { events: [event] };
    }
  }
  const stream = async (method: unknown, ...[, , , input]: readonly unknown[]) => {
    const [request] = await Array.fromAsync(input as AsyncIterable<{ readonly afterSeq?: bigint }>);
    const message = open(Number(request?.afterSeq ?? 0n));
    return { stream: true, method, header: new Headers(), trailer: new Headers(), message };
  };
  return { cursors, transport: { stream } as unknown as NonNullable<SpanwiseClientOptions['transport']> };
}

const wholeReplay: Connection = { replayTo: 1e9, slice: 1, shownShare: 1, cutAfter: 1e9 };

/** What a stream tells by the rules of the contract: text of which all was shown by this stream is stored elided. */
function* eventsOf(
  blocks: readonly ToldBlock[],
  afterSeq: number,
  live: boolean,
  { replayTo, slice, shownShare }: Omit<Connection, 'cutAfter'>,
): Generator<AgentEvent> {
  for (const row of rowsOf(blocks)) {
    const isShown = live && Number(row.seq) > replayTo;
    if (Number(row.seq) <= afterSeq) {
      continue;
    }
    if (row.data.case === 'textDelta' && isShown) {
      const { blockId, offset, text } = row.data.value;
      const points = Array.from(text);
      const shown = points.slice(0, Math.ceil(points.length * shownShare));
      yield* deltas(blockId, Number(offset), shown, slice);
      const elided = { blockId, offset, text: '', elidedBytes: BigInt(Buffer.byteLength(text)) };
      const isElided = shown.length === points.length;
      yield isElided ? ({ ...row, data: { case: 'textDelta', value: elided } } as AgentEvent) : copyOf(row);
      continue;
    }
    yield copyOf(row);
    if (row.data.case === 'textStart' && isShown) {
      const { blockId } = row.data.value;
      const block = blocks[Number(blockId.split('-')[1])];
      yield* deltas(blockId, 0, block?.isLost ? Array.from(block.chunks.join('')) : [], slice);
    }
  }
}

function* deltas(blockId: string, from: number, points: readonly string[], slice: number): Generator<AgentEvent> {
  for (let index = 0, offset = from; index < points.length; index += slice) {
    const text = points.slice(index, index + slice).join('');
    const value = { blockId, offset: BigInt(offset), text, elidedBytes: 0n };
    yield { seq: 0n, data: { case: 'textDelta', value } } as AgentEvent;
    offset += Buffer.byteLength(text);
  }
}

/** Whoever is told an event may change it. */
function copyOf(event: AgentEvent): AgentEvent {
  return structuredClone(event);
}
