import type { Caller } from '../../../domain/disk/caller.ts';
import { diskAuthRequired } from '../../../domain/disk/disk-errors.ts';

/** Whose token a disk sends: nobody's, its own, or that of the user for whom it works. */
export type RestAuth =
  | { readonly kind: 'none' }
  | { readonly kind: 'service'; readonly token: string }
  | { readonly kind: 'forward_user' };

/** The value of the Authorization header; undefined for none. Throws DISK_AUTH_REQUIRED when the user has no token. */
export function authorizationOf(auth: RestAuth, caller: Caller, disk: string): string | undefined {
  switch (auth.kind) {
    case 'none':
      return undefined;
    case 'service':
      return `Bearer ${auth.token}`;
    case 'forward_user':
      if (!isToken(caller.token)) {
        throw diskAuthRequired(disk);
      }
      return `Bearer ${caller.token}`;
  }
}

/** Whether a text can be a bearer token (RFC 6750): with anything else in it, it could become another header. */
export function isToken(text: string): boolean {
  return /^[\w.~+/-]+=*$/.test(text) && text.length <= maxTokenLength;
}

/** What fits in the header of a request with the longest path. */
const maxTokenLength = 16_384;
