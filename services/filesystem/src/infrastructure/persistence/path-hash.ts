import { createHash } from 'node:crypto';

/** Key of a path, which may be longer than an index takes: SHA-256 in hex. */
export function hashOfPath(path: string): string {
  return createHash('sha256').update(path).digest('hex');
}
