declare const brand: unique symbol;

/** A string that can't be mistaken for another kind of string. */
export type Branded<Name extends string> = string & { readonly [brand]: Name };

/** UUID v7 of a session. */
export type SessionId = Branded<'SessionId'>;
/** UUID v7 of a run; also the id of its view of files. */
export type RunId = Branded<'RunId'>;
/** UUID v7 of a message of the model context. */
export type MessageId = Branded<'MessageId'>;
/** UUID v7 of a tool call; unique in its run. */
export type CallId = Branded<'CallId'>;
/** Id of a user, from the verified token. */
export type Uid = Branded<'Uid'>;

/** Names a string that was checked at the edge, or made by an {@link IdGenerator}. */
export function brandId<Id extends Branded<string>>(text: string): Id {
  return text as Id;
}

/** Makes ids. Injected, so that tests have known ones. */
export interface IdGenerator {
  /** UUID v7: sorts by the time when it was made. */
  uuid(): string;
  /** 16 lower-case hex digits, not all zero: an OpenTelemetry span id. */
  spanId(): string;
  /** 32 lower-case hex digits, not all zero: an OpenTelemetry trace id. */
  traceId(): string;
}

/** Random ids from the system's generator. Two ids of one process made in the same millisecond keep their order. */
export function randomIds(nowMs: () => number = Date.now): IdGenerator {
  let lastMs = 0;
  let sequence = 0;
  return {
    uuid() {
      const ms = Math.max(nowMs(), lastMs);
      sequence = ms === lastMs ? sequence + 1 : randomHalf();
      // 12 bits of sequence fit into rand_a; when they run over, time moves on by one.
      lastMs = sequence > 0xfff ? ms + 1 : ms;
      sequence = sequence > 0xfff ? 0 : sequence;
      const time = lastMs.toString(16).padStart(12, '0');
      const random = randomHex(8);
      const variant = ((Number.parseInt(random.slice(0, 2), 16) & 0x3f) | 0x80).toString(16);
      return `${time.slice(0, 8)}-${time.slice(8)}-7${sequence.toString(16).padStart(3, '0')}-${variant}${random.slice(2, 4)}-${random.slice(4)}`;
    },
    spanId: () => nonZero(8),
    traceId: () => nonZero(16),
  };
}

const hexOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const pool = new Uint8Array(4096);
let poolUsed = pool.length;

function randomBytes(count: number): Uint8Array {
  if (poolUsed + count > pool.length) {
    crypto.getRandomValues(pool);
    poolUsed = 0;
  }
  poolUsed += count;
  return pool.subarray(poolUsed - count, poolUsed);
}

function randomHex(byteCount: number): string {
  let hex = '';
  for (const byte of randomBytes(byteCount)) {
    hex += hexOfByte[byte];
  }
  return hex;
}

function nonZero(byteCount: number): string {
  const hex = randomHex(byteCount);
  return /^0+$/.test(hex) ? nonZero(byteCount) : hex;
}

/** Starts the sequence of a millisecond in its lower half, so that it rarely runs over. */
function randomHalf(): number {
  const [high = 0, low = 0] = randomBytes(2);
  return ((high << 8) | low) & 0x7ff;
}
