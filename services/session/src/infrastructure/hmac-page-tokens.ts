import { createHmac, timingSafeEqual } from 'node:crypto';
import { DomainError } from '@spanwise/kernel';
import type { PageScope, PageTokens } from '../application/ports/page-tokens.ts';

const macBytes = 16;

/** Page tokens signed with HMAC-SHA-256 over scope and cursor. All replicas need the same key. */
export class HmacPageTokens implements PageTokens {
  readonly #key: string;

  constructor(key: string) {
    this.#key = key;
  }

  sign(scope: PageScope, cursor: readonly (string | number)[]): string {
    const body = Buffer.from(JSON.stringify(cursor));
    return Buffer.concat([this.#mac(scope, body), body]).toString('base64url');
  }

  read(scope: PageScope, token: string): readonly (string | number)[] {
    const bytes = Buffer.from(token, 'base64url');
    const body = bytes.subarray(macBytes);
    const isCanonical = bytes.toString('base64url') === token && bytes.length > macBytes;
    if (!isCanonical || !timingSafeEqual(bytes.subarray(0, macBytes), this.#mac(scope, body))) {
      throw new DomainError(
        'invalid',
        'INVALID_PAGE_TOKEN',
        'The page token is damaged or belongs to another list: start at the first page.',
      );
    }
    return JSON.parse(body.toString()) as readonly (string | number)[];
  }

  #mac(scope: PageScope, body: Buffer): Buffer {
    const mac = createHmac('sha256', this.#key).update(JSON.stringify(scope)).update('\0').update(body).digest();
    return mac.subarray(0, macBytes);
  }
}
