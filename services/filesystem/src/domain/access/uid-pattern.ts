/**
 * A pattern of user ids: `*` stands for any characters, also for none, and every other character for itself. No glob: an
 * id may hold `/`, brackets and whatever else its issuer likes.
 */
export class UidPattern {
  readonly #parts: readonly string[];

  constructor(text: string) {
    this.#parts = text.split('*');
  }

  matches(uid: string): boolean {
    const [first = '', ...others] = this.#parts;
    const last = others.pop();
    if (last === undefined) {
      return uid === first;
    }
    if (uid.length < first.length + last.length || !uid.startsWith(first) || !uid.endsWith(last)) {
      return false;
    }
    // The first place that fits leaves the most for what follows.
    const middle = uid.slice(first.length, uid.length - last.length);
    let at = 0;
    for (const part of others) {
      const found = middle.indexOf(part, at);
      if (found === -1) {
        return false;
      }
      at = found + part.length;
    }
    return true;
  }
}
