import { createHash } from 'node:crypto';

/** The etag of a file: SHA-256 of its content in hex. */
export function contentEtag(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
