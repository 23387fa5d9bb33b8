import { brandId, type SessionId, type Uid } from '@spanwise/kernel';
import { expect, test } from 'vitest';
import { ReadVersions } from './read-versions.ts';

const uid = (text: string) => brandId<Uid>(text);
const session = (text: string) => brandId<SessionId>(text);

test('remembers the latest version that a session knows, until it forgets', () => {
  const reads = new ReadVersions().of(uid('ann'), session('s'));
  reads.remember('/a', '1');
  reads.remember('/a', '2');
  reads.remember('/b', '9');
  reads.forget('/b');
  expect([reads.etagOf('/a'), reads.etagOf('/b'), reads.etagOf('/c')]).toEqual(['2', undefined, undefined]);
});

test('keeps users and sessions apart', () => {
  const versions = new ReadVersions();
  versions.of(uid('ann'), session('s')).remember('/a', '1');
  expect(versions.of(uid('bob'), session('s')).etagOf('/a')).toBeUndefined();
  expect(versions.of(uid('ann'), session('t')).etagOf('/a')).toBeUndefined();
  expect(versions.of(uid('ann'), session('s')).etagOf('/a')).toBe('1');
});

test('forgets the least recently used when it is full', () => {
  const reads = new ReadVersions(2).of(uid('ann'), session('s'));
  reads.remember('/a', '1');
  reads.remember('/b', '1');
  reads.etagOf('/a');
  reads.remember('/c', '1');
  expect([reads.etagOf('/a'), reads.etagOf('/b'), reads.etagOf('/c')]).toEqual(['1', undefined, '1']);
});
