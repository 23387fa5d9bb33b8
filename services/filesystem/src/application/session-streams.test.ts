import { brandId, type SessionId } from '@spanwise/kernel';
import { expect, test } from 'vitest';
import { maxSessionStreams, SessionStreams } from './session-streams.ts';

const [ada, bob] = [brandId<SessionId>('ada'), brandId<SessionId>('bob')];

test('lets a session have 16 streams, and another one when one has ended', () => {
  const streams = new SessionStreams();
  const open = Array.from({ length: maxSessionStreams }, () => streams.open(ada));
  expect(() => streams.open(ada)).toThrow(
    expect.objectContaining({ reason: 'TOO_MANY_STREAMS', facts: { limit: 16 }, kind: 'exhausted' }),
  );
  streams.open(bob)[Symbol.dispose]();
  open[0]?.[Symbol.dispose]();
  open[0]?.[Symbol.dispose]();
  streams.open(ada);
  expect(() => streams.open(ada)).toThrow(expect.objectContaining({ reason: 'TOO_MANY_STREAMS' }));
});
