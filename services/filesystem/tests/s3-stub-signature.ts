import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export interface StubCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** A request as it came: its target is not decoded. */
export interface SignedRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
}

const maxSkewMs = 15 * 60 * 1000;

/** Why a request is refused, by S3's codes; undefined when its signature (AWS Signature Version 4, in the header) holds. */
export function flawOfSignature(
  request: SignedRequest,
  { accessKeyId, secretAccessKey }: StubCredentials,
  nowMs: number,
) {
  const { headers, body } = request;
  const [, keyId, date, region, signedText, signature] =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    ) ?? [];
  const time = String(headers['x-amz-date'] ?? '');
  const payload = String(headers['x-amz-content-sha256'] ?? '');
  const signed = (signedText ?? '').split(';');
  if (keyId === undefined || date === undefined || region === undefined || signature === undefined) {
    return 'AccessDenied';
  }
  if (keyId !== accessKeyId) {
    return 'InvalidAccessKeyId';
  }
  if (!time.startsWith(date) || Math.abs(nowMs - timeOf(time)) > maxSkewMs) {
    return 'RequestTimeTooSkewed';
  }
  const isAllSigned = Object.keys(headers).every((name) => !name.startsWith('x-amz-') || signed.includes(name));
  if (!isAllSigned || !signed.includes('host')) {
    return 'AccessDenied';
  }
  if (payload !== 'UNSIGNED-PAYLOAD' && payload !== sha256(body)) {
    return 'XAmzContentSHA256Mismatch';
  }
  const canonical = canonicalRequest(request, signed, payload);
  const scope = `${date}/${region}/s3/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(Buffer.from(canonical))].join('\n');
  const key = [date, region, 's3', 'aws4_request'].reduce<string | Buffer>(
    (secret, text) => createHmac('sha256', secret).update(text).digest(),
    `AWS4${secretAccessKey}`,
  );
  const expected = createHmac('sha256', key).update(toSign).digest();
  return timingSafeEqual(expected, Buffer.from(signature, 'hex')) ? undefined : 'SignatureDoesNotMatch';
}

function canonicalRequest(
  { method, target, headers }: SignedRequest,
  signed: readonly string[],
  payload: string,
): string {
  const [path = '', query = ''] = target.split('?', 2);
  const parameters = query
    .split('&')
    .filter((each) => each !== '')
    .map((each) => each.split('=', 2).map((part) => encoded(decodeURIComponent(part))))
    .map(([name = '', value = '']) => `${name}=${value}`)
    .toSorted();
  return [
    method,
    path
      .split('/')
      .map((segment) => encoded(decodeURIComponent(segment)))
      .join('/'),
    parameters.join('&'),
    ...signed.map((name) => `${name}:${String(headers[name] ?? '').trim()}`),
    '',
    signed.join(';'),
    payload,
  ].join('\n');
}

function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);
}

function timeOf(text: string): number {
  return Date.parse(text.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/, '$1-$2-$3:$4:$5'));
}

function sha256(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
