/** What is said over the channel between a sandbox and the process of a command: a JSON value, and bytes that go with it. */
export interface Frame {
  readonly head: unknown;
  readonly data: Uint8Array;
}

/** Bytes that a frame of the other side may have. */
export interface FrameLimits {
  readonly headBytes: number;
  readonly dataBytes: number;
}

const prefixBytes = 8;
const nothing = new Uint8Array(0);

/** Two lengths as big-endian 32-bit numbers, then the JSON as UTF-8, then the bytes. */
export function encodeFrame(head: object, data: Uint8Array = nothing): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(head));
  const frame = new Uint8Array(prefixBytes + json.length + data.length);
  const lengths = new DataView(frame.buffer);
  lengths.setUint32(0, json.length);
  lengths.setUint32(4, data.length);
  frame.set(json, prefixBytes);
  frame.set(data, prefixBytes + json.length);
  return frame;
}

/** Puts frames together again. Keeps no more than one frame of the allowed size. */
export class FrameReader {
  readonly #limits: FrameLimits;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  /** Bytes that have to be there before there is anything to do. */
  #wanted = prefixBytes;

  constructor(limits: FrameLimits) {
    this.#limits = limits;
  }

  /** Answers the frames that are complete now. Undefined: what came is no frame, or one that is too large. */
  push(chunk: Uint8Array): readonly Frame[] | undefined {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < this.#wanted) {
      return [];
    }
    return this.#cut();
  }

  #cut(): readonly Frame[] | undefined {
    const frames: Frame[] = [];
    const all = this.#chunks.length === 1 ? (this.#chunks[0] ?? nothing) : concatBytes(this.#chunks);
    let at = 0;
    this.#wanted = prefixBytes;
    while (all.length - at >= prefixBytes) {
      const lengths = new DataView(all.buffer, all.byteOffset + at, prefixBytes);
      const [headBytes, dataBytes] = [lengths.getUint32(0), lengths.getUint32(4)];
      if (headBytes > this.#limits.headBytes || dataBytes > this.#limits.dataBytes) {
        return undefined;
      }
      const begin = at + prefixBytes;
      const end = begin + headBytes + dataBytes;
      if (end > all.length) {
        this.#wanted = end - at;
        break;
      }
      const head = parseJson(all.subarray(begin, begin + headBytes));
      if (head === undefined) {
        return undefined;
      }
      frames.push({ head, data: all.subarray(begin + headBytes, end) });
      at = end;
    }
    this.#chunks = at === all.length ? [] : [all.subarray(at)];
    this.#bytes = all.length - at;
    return frames;
  }
}

/** Undefined when it is none. */
function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  } catch {
    return undefined;
  }
}

export function concatBytes(chunks: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}
