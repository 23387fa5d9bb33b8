/** Bytes from the start of a file that decide about its media type. */
export const sniffedBytes = 4096;

const signatures: readonly (readonly [mediaType: string, bytes: readonly number[]])[] = [
  ['image/png', [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ['image/jpeg', [0xff, 0xd8, 0xff]],
  ['image/gif', [0x47, 0x49, 0x46, 0x38]],
  ['application/pdf', [0x25, 0x50, 0x44, 0x46, 0x2d]],
  ['application/zip', [0x50, 0x4b, 0x03, 0x04]],
  ['application/gzip', [0x1f, 0x8b]],
];

/** Text formats have no signature: the extension tells them, provided that the bytes are text. */
const textTypes: ReadonlyMap<string, string> = new Map([
  ['json', 'application/json'],
  ['csv', 'text/csv'],
  ['md', 'text/markdown'],
  ['markdown', 'text/markdown'],
]);

/**
 * Media type by the first bytes of a file, at most {@link sniffedBytes}. A name is believed only for text, and only when
 * the bytes are UTF-8 without NUL; what is neither known nor text is `application/octet-stream`.
 */
export function mediaTypeOf(name: string, head: Uint8Array): string {
  const known = signatures.find(([, bytes]) => bytes.every((byte, index) => head[index] === byte));
  if (known !== undefined) {
    return known[0];
  }
  if (!isText(head)) {
    return 'application/octet-stream';
  }
  const extension = name.includes('.') ? name.slice(name.lastIndexOf('.') + 1).toLowerCase() : '';
  return textTypes.get(extension) ?? 'text/plain';
}

function isText(head: Uint8Array): boolean {
  try {
    // A stream, because the last character may have been cut by the limit.
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: head.length >= sniffedBytes });
    return !head.includes(0);
  } catch {
    return false;
  }
}
