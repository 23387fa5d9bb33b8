import { brandId, type Uid } from '@spanwise/kernel';
import { afterEach, describe, expect, test } from 'vitest';
import type { Caller } from '../src/domain/disk/caller.ts';
import { VirtualPath } from '../src/domain/path/virtual-path.ts';
import type { OpenDisk } from '../src/infrastructure/disks/disk-kind.ts';
import { assertNothingTold, attackedView } from './attack-harness.ts';
import { ada, bob, failureOf, never, utf8 } from './files-fixture.ts';
import { pathAttacks } from './path-attacks.ts';
import { openRestDisk, restStore, serviceToken } from './rest-fixture.ts';
import { type ReferenceServerOptions, startRestReferenceServer } from './rest-reference-server.ts';

const at = (text: string) => VirtualPath.parse(text);
const authRequired = { reason: 'DISK_AUTH_REQUIRED', facts: { disk: 'users' } };

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).toReversed()) {
    await each[Symbol.asyncDispose]();
  }
});

async function against(settings: Readonly<Record<string, unknown>>, options: ReferenceServerOptions = {}) {
  const server = await startRestReferenceServer(options);
  opened.push(server);
  const disk = await openRestDisk(server.baseUrl, settings);
  opened.push({ [Symbol.asyncDispose]: async () => disk[Symbol.asyncDispose]?.() });
  return { server, disk };
}

/** Every operation, once. */
async function everything(disk: OpenDisk, caller: Caller): Promise<unknown[]> {
  const operations = [
    () => disk.makeDirectory(caller, at('/d'), never),
    () => disk.write(caller, at('/d/x'), utf8('x'), {}, never),
    () => disk.stat(caller, at('/d/x'), never),
    () => disk.read(caller, at('/d/x'), { offset: 0, length: 1 }, never),
    () => disk.list(caller, at('/d'), { after: '', limit: 1, withEtags: true }, never),
    () => disk.rename(caller, at('/d/x'), at('/d/y'), never),
    () => disk.remove(caller, at('/d'), { isRecursive: true }, never),
  ];
  const outcomes: unknown[] = [];
  for (const operation of operations) {
    outcomes.push(await failureOf(operation()));
  }
  return outcomes;
}
const allOf = <Outcome>(outcome: Outcome) => Array.from({ length: 7 }, () => outcome);

describe('forward_user', () => {
  test('sends the token of the user for whom it works, with every request', async () => {
    const { server, disk } = await against({ auth: 'forward_user' }, { tokens: [ada.token] });
    expect(await everything(disk, ada)).toEqual(allOf('it did not fail'));
    expect(server.seen.map(({ method, token }) => `${method} ${token}`)).toEqual(
      ['PUT', 'PUT', 'HEAD', 'GET', 'GET', 'POST', 'DELETE'].map((method) => `${method} ${ada.token}`),
    );
  });

  test('never mixes users up, however many there are at once', async () => {
    const { server, disk } = await against({ auth: 'forward_user' });
    const users = Array.from({ length: 100 }, (_, index) => ({ ...ada, token: `token-of-${index}` }));
    await Promise.all(users.map((user, index) => disk.stat(user, at(`/of-${index}`), never)));
    const pairs = new Map(server.seen.map(({ url, token }) => [url, token]));
    expect(pairs).toEqual(new Map(users.map(({ token }, index) => [`/users/files/of-${index}`, token])));
    expect(server.seen).toHaveLength(100);
  });

  test('asks the user to sign in when there is no token, and asks the server nothing', async () => {
    const { server, disk } = await against({ auth: 'forward_user' });
    expect(await everything(disk, bob)).toEqual(allOf(authRequired));
    expect(server.seen).toEqual([]);
  });

  test('asks the user to sign in when the server does not take the token', async () => {
    const { server, disk } = await against({ auth: 'forward_user' }, { tokens: ['another'] });
    expect(await everything(disk, ada)).toEqual(allOf(authRequired));
    expect(server.seen).toHaveLength(7);
  });

  test.each(['a\r\nx-planted: 1', 'a b', 'a,b', 'é', '\u0000', 'Bearer a', 'x'.repeat(20_000)])(
    'sends nothing that is no token: %j',
    async (token) => {
      const { server, disk } = await against({ auth: 'forward_user' });
      const mallory: Caller = { uid: brandId<Uid>('mallory'), email: '', token };
      expect(await everything(disk, mallory)).toEqual(allOf(authRequired));
      expect(server.seen).toEqual([]);
    },
  );
});

describe('service', () => {
  test('sends its own token, never the one of a user', async () => {
    const settings = { auth: 'service', token_env: 'FILES_TOKEN' };
    const { server, disk } = await against(settings, { tokens: [serviceToken] });
    expect(await everything(disk, ada)).toEqual(allOf('it did not fail'));
    expect(await everything(disk, bob)).toEqual(allOf('it did not fail'));
    expect(new Set(server.seen.map(({ token }) => token))).toEqual(new Set([serviceToken]));
  });

  test('is a matter of the operator when the server does not take the token', async () => {
    const { disk } = await against({ auth: 'service', token_env: 'FILES_TOKEN' }, { tokens: ['another'] });
    expect(await everything(disk, ada)).toEqual(allOf({ reason: 'DISK_UNAVAILABLE', facts: { disk: 'users' } }));
  });
});

test('none sends no token', async () => {
  const { server, disk } = await against({ auth: 'none' });
  expect(await everything(disk, ada)).toEqual(allOf('it did not fail'));
  expect(server.seen.map(({ token }) => token)).toEqual(allOf(''));
});

test('a disk that is only read asks the server for no change', async () => {
  const { server, disk } = await against({ auth: 'none', read_only: true });
  const outcomes = await everything(disk, ada);
  const refused = { reason: 'DISK_UNSUPPORTED', facts: { disk: 'users' } };
  expect([0, 1, 5, 6].map((index) => outcomes[index])).toEqual([refused, refused, refused, refused]);
  expect(new Set(server.seen.map(({ method }) => method))).toEqual(new Set(['HEAD', 'GET']));
});

test('no path gets out of the base URL, and each is asked for as it is', async () => {
  await using store = await restStore();
  const view = await attackedView(store.store);
  for (const [, path] of pathAttacks) {
    const outcomes = await view.attack(path);
    assertNothingTold(outcomes);
    expect(JSON.stringify(outcomes)).not.toContain(store.server.outside);
  }
  const urls = store.server.seen.map(({ url }) => url);
  expect(urls.length).toBeGreaterThan(300);
  const strange = urls.filter((url) => {
    const [target = ''] = url.split('?', 1);
    const isBelow = /^\/users\/files\/(?:[\w!'()*.~%-]+\/)*(?:[\w!'()*.~%-]+)?$/.test(target);
    return !isBelow || new URL(target, 'http://x').pathname !== target;
  });
  expect(strange).toEqual([]);
});
