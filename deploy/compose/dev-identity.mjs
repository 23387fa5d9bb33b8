// An identity provider for trying Spanwise out: it believes whoever asks. Needs nothing but Node.
//
//   node dev-identity.mjs                        serves its key at http://…:8080/jwks.json
//   node dev-identity.mjs token alice [email]    prints a token for the user alice
//
// Both need SPANWISE_JWT_ISSUER and SPANWISE_JWT_AUDIENCE. Only who may run programs beside the server gets tokens: what
// signs them is a file there, made at the first start.
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const { SPANWISE_JWT_ISSUER: issuer, SPANWISE_JWT_AUDIENCE: audience, SPANWISE_PORT: port = '8080' } = process.env;
const validSeconds = 8 * 60 * 60;
const keyFile = join(tmpdir(), 'spanwise-dev-identity.pem');

function makeKey() {
  const { privateKey } = generateKeyPairSync('ed25519');
  try {
    writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    // Tokens stay good when the server starts again.
    if (error.code !== 'EEXIST') {
      throw error;
    }
  }
}

function publicJwk(privateKey) {
  const jwk = createPublicKey(privateKey).export({ format: 'jwk' });
  const kid = createHash('sha256').update(jwk.x).digest('base64url').slice(0, 16);
  return { ...jwk, kid, alg: 'EdDSA', use: 'sig' };
}

function token(sub, email) {
  const privateKey = createPrivateKey(readFileSync(keyFile));
  const iat = Math.floor(Date.now() / 1000);
  const parts = [
    { alg: 'EdDSA', typ: 'JWT', kid: publicJwk(privateKey).kid },
    { iss: issuer, aud: audience, sub, ...(email === undefined ? {} : { email }), iat, exp: iat + validSeconds },
  ];
  const text = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${text}.${sign(null, Buffer.from(text), privateKey).toString('base64url')}`;
}

function serve() {
  makeKey();
  const keys = JSON.stringify({ keys: [publicJwk(createPrivateKey(readFileSync(keyFile)))] });
  const server = createServer((request, response) => {
    const isKeys = request.method === 'GET' && request.url === '/jwks.json';
    response.writeHead(isKeys ? 200 : 404, { 'content-type': 'application/json' }).end(isKeys ? keys : '{}');
  });
  server.listen(Number(port), () => console.log(`keys of ${issuer} on port ${server.address().port}`));
  process.once('SIGTERM', () => server.close());
}

const [command, uid, email] = process.argv.slice(2);
if (!issuer || !audience) {
  console.error('SPANWISE_JWT_ISSUER and SPANWISE_JWT_AUDIENCE must be set.');
  process.exitCode = 1;
} else if (command === 'token' && uid !== undefined) {
  console.log(token(uid, email));
} else if (command === undefined) {
  serve();
} else {
  console.error('usage: node dev-identity.mjs [token <uid> [email]]');
  process.exitCode = 2;
}
