import { createHash } from 'node:crypto';
import { DomainError } from '@spanwise/kernel';
import type { PageTokens } from '../../application/ports/page-tokens.ts';

const sealBytes = 16;

/**
 * Tokens that hold the position and a digest of it and the query. The digest is no secret: it tells a damaged token, and
 * one of another query, from a good one. Whoever forges one only chooses where a page of his own files starts.
 */
export const sealedPageTokens: PageTokens = {
  seal: (query, position) => Buffer.concat([sealOf(query, position), Buffer.from(position)]).toString('base64url'),
  open(query, token) {
    if (token === '') {
      return '';
    }
    const bytes = Buffer.from(token, 'base64url');
    const position = bytes.subarray(sealBytes).toString();
    // Made again and compared as text: base64 has several spellings of the same bytes.
    if (position === '' || sealedPageTokens.seal(query, position) !== token) {
      throw invalidPageToken();
    }
    return position;
  },
};

function sealOf(query: string, position: string): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([query, position]))
    .digest()
    .subarray(0, sealBytes);
}

/** The token is damaged or of another query. The caller starts at the first page. */
function invalidPageToken(): DomainError {
  return new DomainError('invalid', 'INVALID_PAGE_TOKEN', 'Not a page token of this query: start at the first page.');
}
