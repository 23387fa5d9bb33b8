/** How much of a page is searched for its encoding, as browsers do. */
const sniffedBytes = 1024;
const metaCharset =
  /<meta[^>]{1,200}charset\s*=\s*["']?\s*([\w:.-]{1,40})|<\?xml[^>]{1,100}encoding\s*=\s*["']([\w:.-]{1,40})/iu;

/**
 * Text of a body of the web, or undefined for one that is none. The encoding is, in this order, that of a byte order mark,
 * of the header `content-type`, of the page's own `meta` or XML declaration, and UTF-8; what does not fit becomes U+FFFD.
 */
export function decodeText(body: Uint8Array, contentType: string): string | undefined {
  const head = new TextDecoder('latin1').decode(body.subarray(0, sniffedBytes));
  const fromHeader = /charset\s*=\s*["']?\s*([\w:.-]{1,40})/iu.exec(contentType)?.[1];
  const [, fromMeta, fromXml] = metaCharset.exec(head) ?? [];
  const text = decoderOf(body, fromHeader ?? asciiCompatible(fromMeta ?? fromXml)).decode(body);
  return text.includes('\0') ? undefined : text;
}

/** Text that is UTF-8 through and through, for what does not say what it is. */
export function decodeUtf8(body: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}

function decoderOf([first, second]: Uint8Array, label = 'utf-8'): TextDecoder {
  if ((first === 0xfe && second === 0xff) || (first === 0xff && second === 0xfe)) {
    return new TextDecoder(first === 0xfe ? 'utf-16be' : 'utf-16le');
  }
  if (first === 0xef && second === 0xbb) {
    return new TextDecoder();
  }
  try {
    return new TextDecoder(label);
  } catch {
    // A label that nobody knows.
    return new TextDecoder();
  }
}

/** A page that says in ASCII that it is UTF-16 is not. */
function asciiCompatible(label: string | undefined): string | undefined {
  return label !== undefined && /^utf-?16|^unicode/iu.test(label) ? undefined : label;
}
