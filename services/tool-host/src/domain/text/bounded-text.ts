/** Bytes of a text in UTF-8; half of a surrogate pair counts as the three bytes of its replacement. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit > 0x7f) {
      bytes += unit > 0x7ff ? 2 : 1;
      if (unit >= 0xd800 && unit < 0xdc00 && isLowSurrogate(text.charCodeAt(at + 1))) {
        // A pair: two code units are four bytes.
        at += 1;
      }
    }
  }
  return bytes;
}

/** The first `maxLength` code units of a text, one less where that would split a surrogate pair. */
export function clipText(text: string, maxLength: number): string {
  const isSplit = isHighSurrogate(text.charCodeAt(maxLength - 1)) && isLowSurrogate(text.charCodeAt(maxLength));
  return text.slice(0, isSplit ? maxLength - 1 : maxLength);
}

/** The longest head of a text that fits into `maxBytes` of UTF-8, without splitting a character. */
export function clipBytes(text: string, maxBytes: number): string {
  if (text.length * 3 <= maxBytes) {
    return text;
  }
  let low = Math.floor(maxBytes / 3);
  let high = Math.min(text.length, maxBytes);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (utf8Length(clipText(text, middle)) <= maxBytes) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return clipText(text, low);
}

/** The longest tail of a text that fits into `maxBytes` of UTF-8, without splitting a character. */
export function clipEnd(text: string, maxBytes: number): string {
  let begin = text.length;
  for (let bytes = 0; begin > 0; ) {
    const isPair = isLowSurrogate(text.charCodeAt(begin - 1)) && isHighSurrogate(text.charCodeAt(begin - 2));
    const before = begin - (isPair ? 2 : 1);
    bytes += utf8Length(text.slice(before, begin));
    if (bytes > maxBytes) {
      return text.slice(begin);
    }
    begin = before;
  }
  return text;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}
