import { pipeline, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw, createZstdDecompress } from 'node:zlib';
import { answerTooLong, encodingUnknown } from './egress-errors.ts';

type Bytes = AsyncIterable<Uint8Array>;
type NewDecoder = (first: Uint8Array) => Transform;

/** More than two layers have no use but to hide what is in them. */
const maxCodings = 2;
/** What compressing may add. */
const slackBytes = 64 * 1024;

const decoders: ReadonlyMap<string, NewDecoder> = new Map<string, NewDecoder>([
  ['gzip', () => createGunzip()],
  ['x-gzip', () => createGunzip()],
  ['br', () => createBrotliDecompress()],
  ['zstd', () => createZstdDecompress()],
  // Servers send it with and without the header of zlib.
  ['deflate', ([first = 0]) => ((first & 0x0f) === 0x08 ? createInflate() : createInflateRaw())],
]);

/**
 * Decodes a body as its `content-encoding` says: gzip, br, deflate and zstd, two at most. What goes into a decoder is counted
 * too, so that a body that shrinks to nothing does not go on for ever: over `maxBytes` (and a little) reading fails with
 * FETCH_FAILED. What comes out is for the reader to count. Throws FETCH_FAILED for another encoding.
 */
export function decodedBody(body: Bytes, encoding: string, host: string, maxBytes: number): Bytes {
  const codings = encoding
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity');
  const newDecoders = codings.map((coding) => decoders.get(coding));
  if (newDecoders.length > maxCodings || newDecoders.includes(undefined)) {
    throw encodingUnknown(host, encoding);
  }
  const limit = maxBytes + Math.ceil(maxBytes / 100) + slackBytes;
  return newDecoders.reduceRight<Bytes>(
    (encoded, newDecoder) =>
      newDecoder === undefined
        ? encoded
        : decode(
            count(encoded, limit, () => answerTooLong(host, maxBytes)),
            newDecoder,
          ),
    body,
  );
}

/** A body without a byte is empty however it is said to be encoded. */
async function* decode(encoded: AsyncGenerator<Uint8Array>, newDecoder: NewDecoder): AsyncGenerator<Uint8Array> {
  const first = await encoded.next();
  if (first.done === true) {
    return;
  }
  // Its error reaches whoever reads the decoder.
  yield* pipeline(withFirst(first.value, encoded), newDecoder(first.value), () => {}) as Bytes;
}

async function* withFirst(first: Uint8Array, rest: Bytes): AsyncGenerator<Uint8Array> {
  yield first;
  yield* rest;
}

async function* count(body: Bytes, limit: number, tooLong: () => Error): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > limit) {
      throw tooLong();
    }
    yield chunk;
  }
}
