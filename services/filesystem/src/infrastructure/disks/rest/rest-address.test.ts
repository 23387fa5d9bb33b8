import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isSegment, VirtualPath } from '../../../domain/path/virtual-path.ts';
import { flawOfBaseUrl, RestAddress } from './rest-address.ts';

const at = (text: string) => VirtualPath.parse(text);

describe('base URLs', () => {
  test.each(['https://users.internal/files', 'http://127.0.0.1:8080', 'https://x/a%20b/', 'https://[::1]/f'])(
    'are fine: %s',
    (text) => expect(flawOfBaseUrl(text)).toBeUndefined(),
  );

  test.each([
    ['', 'must be an http or https URL'],
    ['users.internal/files', 'must be an http or https URL'],
    ['ftp://users.internal/files', 'must be an http or https URL'],
    ['file:///files', 'must be an http or https URL'],
    ['javascript:alert(1)', 'must be an http or https URL'],
    ['http://', 'must be an http or https URL'],
    ['https://ada@users.internal/', 'must not hold a user or password'],
    ['https://ada:pw@users.internal/', 'must not hold a user or password'],
    ['https://:pw@users.internal/', 'must not hold a user or password'],
    ['https://users.internal/files?tenant=1', 'must not hold a query or fragment'],
    ['https://users.internal/files?', 'must not hold a query or fragment'],
    ['https://users.internal/files#top', 'must not hold a query or fragment'],
    ['https://users.internal/files#', 'must not hold a query or fragment'],
  ])('are refused: %j', (text, flaw) => {
    expect(flawOfBaseUrl(text)).toBe(flaw);
  });
});

describe('addresses', () => {
  test.each([
    ['https://x/files', '/files'],
    ['https://x/files/', '/files'],
    ['https://x/a//', '/a'],
    ['https://x', ''],
    ['https://x/', ''],
    ['https://x/a/../b', '/b'],
  ])('are below %s', (base, prefix) => {
    const address = new RestAddress(base);
    expect(address.entry(at('/d/x'))).toBe(`${prefix}/d/x`);
    expect(address.directory(at('/d'))).toBe(`${prefix}/d/`);
    expect(address.entry(VirtualPath.root)).toBe(`${prefix}/`);
    expect(address.directory(VirtualPath.root)).toBe(`${prefix}/`);
  });

  test.each([
    ['/%2e%2e/x', '/files/%252e%252e/x'],
    ['/a%2fb', '/files/a%252fb'],
    ['/a?recursive=true', '/files/a%3Frecursive%3Dtrue'],
    ['/a#b', '/files/a%23b'],
    ['/a;b&c=d+e', '/files/a%3Bb%26c%3Dd%2Be'],
    ['/...', '/files/...'],
    ['/@evil.example', '/files/%40evil.example'],
    ['/é 😀', '/files/%C3%A9%20%F0%9F%98%80'],
  ])('say exactly the path: %s', (path, target) => {
    expect(new RestAddress('https://x/files').entry(at(path))).toBe(target);
  });

  test('are of the origin only', () => {
    expect(new RestAddress('https://users.internal:8443/files').origin).toBe('https://users.internal:8443');
  });

  // No VirtualPath has such segments: this is what would stop them if one had.
  test.each([['..'], ['.'], ['a', '..', '..', 'b'], ['', '..'], ['d', '..']])(
    'are none where segments lead elsewhere: %j',
    (...segments) => {
      const forged = Object.assign(Object.create(VirtualPath.prototype), { segments, text: `/${segments.join('/')}` });
      for (const base of ['https://x/files', 'https://x']) {
        const address = new RestAddress(base);
        expect(() => address.entry(forged as VirtualPath)).toThrow(expect.objectContaining({ reason: 'PATH_INVALID' }));
        expect(() => address.directory(forged as VirtualPath)).toThrow(
          expect.objectContaining({ reason: 'PATH_INVALID' }),
        );
      }
    },
  );

  test('are below the base, and tell paths apart, whatever the path', () => {
    const segment = fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }).filter(isSegment);
    const path = fc
      .array(segment, { minLength: 1, maxLength: 4 })
      .map((segments) => segments.reduce((parent, name) => parent.child(name), VirtualPath.root));
    const address = new RestAddress('https://x/files');
    fc.assert(
      fc.property(path, (each) => {
        const target = address.entry(each);
        expect(target).toMatch(/^\/files(?:\/[\w!'()*.~%-]+)+$/);
        expect(target.slice('/files/'.length).split('/').map(decodeURIComponent)).toEqual(each.segments);
      }),
      { numRuns: 2000 },
    );
  });
});
