import {
  createLocalJWKSet,
  exportJWK,
  exportSPKI,
  type GenerateKeyPairResult,
  generateKeyPair,
  type JWTPayload,
  SignJWT,
  UnsecuredJWT,
} from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Authenticate, forwardedAuthenticate, insecureDevAuthenticate, jwtAuthenticate } from './authenticate.ts';

const issuer = 'https://issuer.example';
const audience = 'spanwise';
const refused = { kind: 'unauthenticated', reason: 'UNAUTHENTICATED' };

describe('jwt', () => {
  let keys: GenerateKeyPairResult;
  let authenticate: Authenticate;
  beforeAll(async () => {
    keys = await generateKeyPair('EdDSA', { extractable: true });
    const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'one', alg: 'EdDSA' };
    authenticate = jwtAuthenticate({ jwks: createLocalJWKSet({ keys: [jwk] }), issuer, audience });
  });

  const sign = (claims: JWTPayload = {}, seconds = 60) =>
    new SignJWT({ sub: 'alice', email: 'alice@example.org', ...claims })
      .setProtectedHeader({ alg: 'EdDSA', kid: 'one' })
      .setIssuer(claims.iss ?? issuer)
      .setAudience(claims.aud ?? audience)
      .setIssuedAt()
      .setExpirationTime(Math.floor(Date.now() / 1000) + seconds)
      .sign(keys.privateKey);
  const bearer = (token: string, more: Record<string, string> = {}) =>
    new Headers({ authorization: `Bearer ${token}`, ...more });

  test('takes the user from the verified token, from either header', async () => {
    const token = await sign();
    const alice = { uid: 'alice', email: 'alice@example.org', token };
    expect(await authenticate(bearer(token))).toEqual(alice);
    expect(await authenticate(new Headers({ token }))).toEqual(alice);
    expect(await authenticate(bearer(token, { uid: 'alice', email: 'alice@example.org' }))).toEqual(alice);
  });

  test('refuses a uid or email header that differs from the claims', async () => {
    const token = await sign();
    const mismatch = { kind: 'denied', reason: 'IDENTITY_MISMATCH' };
    await expect(authenticate(bearer(token, { uid: 'bob' }))).rejects.toMatchObject(mismatch);
    await expect(authenticate(bearer(token, { email: 'bob@example.org' }))).rejects.toMatchObject(mismatch);
  });

  test('refuses everything that is not a valid token, with one and the same answer', async () => {
    const publicKey = new TextEncoder().encode(await exportSPKI(keys.publicKey));
    const other = await generateKeyPair('EdDSA');
    const claims = () =>
      new SignJWT({ sub: 'alice' }).setIssuer(issuer).setAudience(audience).setIssuedAt().setExpirationTime('1m');
    const bad = [
      new Headers(),
      bearer(''),
      bearer('garbage'),
      bearer('x'.repeat(20_000)),
      bearer(await sign({}, -60)),
      bearer(await sign({ aud: 'someone-else' })),
      bearer(await sign({ iss: 'https://evil.example' })),
      bearer(await sign({ sub: '' })),
      bearer(await sign({ sub: ' alice' })),
      bearer(
        new UnsecuredJWT({ sub: 'alice' }).setIssuer(issuer).setAudience(audience).setExpirationTime('1m').encode(),
      ),
      bearer(await claims().setProtectedHeader({ alg: 'HS256', kid: 'one' }).sign(publicKey)),
      bearer(await claims().setProtectedHeader({ alg: 'EdDSA', kid: 'one' }).sign(other.privateKey)),
    ];
    const answers = await Promise.allSettled(bad.map((headers) => Promise.resolve(authenticate(headers))));
    const messages = answers.map((answer) =>
      answer.status === 'rejected' ? String(answer.reason.message) : 'accepted',
    );
    expect(new Set(messages).size).toBe(1);
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 'rejected', reason: refused });
    }
  });

  test('allows five seconds of difference between clocks', async () => {
    expect(await authenticate(bearer(await sign({}, -3)))).toMatchObject({ uid: 'alice' });
  });
});

describe('insecure-dev', () => {
  test('believes the uid header, and has a user for requests without one', () => {
    const authenticate = insecureDevAuthenticate();
    expect(authenticate(new Headers({ uid: 'alice', token: 't' }))).toEqual({ uid: 'alice', email: '', token: 't' });
    expect(authenticate(new Headers())).toMatchObject({ uid: 'developer' });
  });

  test.each(['', 'a'.repeat(256), 'bo\tb', 'bób'])('refuses %j as a uid', (uid) => {
    const headers = { get: (name: string) => (name === 'uid' ? uid : null) } as Headers;
    expect(() => insecureDevAuthenticate()(headers)).toThrow(expect.objectContaining(refused));
  });
});

test('inside, a call that names nobody is refused', () => {
  expect(() => forwardedAuthenticate()(new Headers())).toThrow(expect.objectContaining(refused));
});

test('inside, the service that calls says who it is; outside, nobody is believed to be one', () => {
  const headers = new Headers({ uid: 'alice', service: 'tool-host' });
  const alice = { uid: 'alice', email: '', token: '' };
  expect(forwardedAuthenticate()(headers)).toEqual({ ...alice, service: 'tool-host' });
  expect(insecureDevAuthenticate()(headers)).toEqual(alice);
  expect(forwardedAuthenticate()(new Headers({ uid: 'alice', service: 'Tool Host' }))).toEqual(alice);
});
