import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { RunId } from '@spanwise/kernel';
import type { TokenSeal } from '../application/ports/token-seal.ts';

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

/** Bytes of a key. */
export const tokenKeyBytes = 32;

/**
 * AES-256-GCM with a fresh nonce each time, bound to the run: base64 of nonce, tag and text. Seals with the first key and
 * opens with any, so that keys can be replaced one after the other; without a key nothing is kept.
 */
export class AesTokenSeal implements TokenSeal {
  readonly #keys: readonly Uint8Array[];

  constructor(keys: readonly Uint8Array[]) {
    this.#keys = keys;
  }

  seal(token: string, runId: RunId): string {
    const [key] = this.#keys;
    if (key === undefined || token === '') {
      return '';
    }
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv(algorithm, key, nonce).setAAD(Buffer.from(runId));
    const text = Buffer.concat([cipher.update(token, 'utf8'), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64');
  }

  open(sealed: string, runId: RunId): string {
    const bytes = Buffer.from(sealed, 'base64');
    if (bytes.length <= nonceBytes + tagBytes) {
      return '';
    }
    for (const key of this.#keys) {
      const token = openWith(key, bytes, runId);
      if (token !== undefined) {
        return token;
      }
    }
    return '';
  }
}

function openWith(key: Uint8Array, bytes: Uint8Array, runId: RunId): string | undefined {
  const textAt = nonceBytes + tagBytes;
  const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(runId)).setAuthTag(bytes.subarray(nonceBytes, textAt));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(textAt)), decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
}
