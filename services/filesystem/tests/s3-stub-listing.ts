import { compareNames } from '../src/domain/path/name-order.ts';

/** What a listing tells of an object. */
export interface StubObject {
  readonly data: Uint8Array;
  /** With quotes. */
  readonly tag: string;
  readonly modifyTimeMs: number;
  /** Headers x-amz-meta-*. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** ListObjectsV2: keys in byte order, those below a delimiter as one prefix, in pages of at most 1,000 of both. */
export function listingXml(objects: ReadonlyMap<string, StubObject>, query: URLSearchParams): string {
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const token = query.get('continuation-token');
  const after = token === null ? (query.get('start-after') ?? '') : Buffer.from(token, 'base64url').toString();
  const limit = Math.min(Number(query.get('max-keys') ?? 1000), 1000);
  const items = new Map<string, StubObject | undefined>();
  for (const key of [...objects.keys()].toSorted(compareNames)) {
    const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    const item = cut === -1 ? key : key.slice(0, cut + delimiter.length);
    // A prefix that a page has told is not told again, although keys below it come after it.
    const isTold = after !== '' && (compareNames(key, after) <= 0 || item === after);
    if (key.startsWith(prefix) && !isTold) {
      items.set(item, cut === -1 ? objects.get(key) : undefined);
    }
    if (items.size > limit) {
      break;
    }
  }
  const page = [...items].slice(0, limit);
  const last = page.at(-1)?.[0] ?? '';
  const isTruncated = items.size > limit;
  const next = `<NextContinuationToken>${Buffer.from(last).toString('base64url')}</NextContinuationToken>`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">',
    `<Prefix>${escaped(prefix)}</Prefix><KeyCount>${page.length}</KeyCount><MaxKeys>${limit}</MaxKeys>`,
    `<IsTruncated>${isTruncated}</IsTruncated>${isTruncated ? next : ''}`,
    ...page.map(([key, object]) => (object === undefined ? prefixXml(key) : objectXml(key, object))),
    '</ListBucketResult>',
  ].join('');
}

function prefixXml(prefix: string): string {
  return `<CommonPrefixes><Prefix>${escaped(prefix)}</Prefix></CommonPrefixes>`;
}

function objectXml(key: string, { data, tag, modifyTimeMs }: StubObject): string {
  const time = new Date(modifyTimeMs).toISOString();
  return `<Contents><Key>${escaped(key)}</Key><LastModified>${time}</LastModified><ETag>${escaped(tag)}</ETag><Size>${data.length}</Size><StorageClass>STANDARD</StorageClass></Contents>`;
}

function escaped(text: string): string {
  return text.replace(/[<>&"\p{Cc}]/gu, (each) => `&#${each.codePointAt(0)};`);
}
