import { brandId, DomainError, type Uid } from '@spanwise/kernel';
import { createRemoteJWKSet, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { type Identity, unauthenticated } from './call-context.ts';

/**
 * Finds out for whom a call is made, from its headers; undefined when it is made for no user and needs none. `service` is
 * the full name of the service that is called. Throws UNAUTHENTICATED or IDENTITY_MISMATCH.
 */
export type Authenticate = (headers: Headers, service?: string) => Promise<Identity | undefined> | Identity | undefined;

export interface JwtOptions {
  /** Where the issuer's keys are; or the keys themselves. */
  readonly jwks: URL | JWTVerifyGetKey;
  readonly issuer: string;
  readonly audience: string;
}

/** Bytes of a token that are looked at; a longer one is refused unread. */
const maxTokenLength = 16 * 1024;

/**
 * `SPANWISE_AUTH=jwt`: the token of `authorization: Bearer` or of the `token` header, verified against a JWKS. The uid is
 * its `sub`. The headers `uid` and `email` are optional and must then equal the claims.
 */
export function jwtAuthenticate({ jwks, issuer, audience }: JwtOptions): Authenticate {
  const keys = jwks instanceof URL ? createRemoteJWKSet(jwks) : jwks;
  const rules = { issuer, audience, algorithms: ['ES256', 'RS256', 'EdDSA'], clockTolerance: 5 };
  return async (headers) => {
    const token = tokenOf(headers);
    if (token === '' || token.length > maxTokenLength) {
      throw unauthenticated();
    }
    const { payload } = await jwtVerify(token, keys, { ...rules, requiredClaims: ['exp', 'iat', 'sub'] }).catch(
      (error) => {
        throw unauthenticated(error);
      },
    );
    const uid = payload.sub ?? '';
    if (!isUid(uid)) {
      throw unauthenticated();
    }
    const email = typeof payload.email === 'string' ? payload.email : '';
    assertSame('uid', headers.get('uid'), uid);
    assertSame('email', headers.get('email'), email);
    return { uid: brandId<Uid>(uid), email, token };
  };
}

/** `SPANWISE_AUTH=insecure-dev`: believes the `uid` header; without one it is the developer user. Loopback only. */
export function insecureDevAuthenticate(defaultUid = 'developer'): Authenticate {
  return (headers) => believe(headers, defaultUid);
}

/** Inside: the service that calls has authenticated the user and says who it is. */
export function forwardedAuthenticate(): Authenticate {
  return (headers) => {
    const service = headers.get('service') ?? '';
    return { ...believe(headers, ''), ...(/^[a-z0-9-]{1,64}$/.test(service) && { service }) };
  };
}

function believe(headers: Headers, defaultUid: string): Identity {
  const uid = headers.get('uid') ?? defaultUid;
  if (!isUid(uid)) {
    throw unauthenticated();
  }
  return { uid: brandId<Uid>(uid), email: headers.get('email') ?? '', token: tokenOf(headers) };
}

function tokenOf(headers: Headers): string {
  const [, bearer] = /^Bearer (.+)$/i.exec(headers.get('authorization') ?? '') ?? [];
  return bearer ?? headers.get('token') ?? '';
}

/** 1 to 255 printable ASCII characters without spaces around. */
function isUid(uid: string): boolean {
  return /^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/.test(uid);
}

function assertSame(name: string, header: string | null, claim: string): void {
  if (header !== null && header !== claim) {
    throw new DomainError('denied', 'IDENTITY_MISMATCH', `The ${name} header differs from the token's claim.`);
  }
}
