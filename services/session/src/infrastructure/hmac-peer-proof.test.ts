import { fakeClock } from '@spanwise/testing';
import { describe, expect, test } from 'vitest';
import { HmacPeerProof } from './hmac-peer-proof.ts';

describe('a proof', () => {
  test('is the time and its mac', () => {
    const proof = new HmacPeerProof('key', fakeClock());
    expect(proof.sign()).toMatch(/^\d{13}\.[0-9a-f]{64}$/);
    expect(proof.verifies(proof.sign())).toBe(true);
  });

  test('is good for a minute, whichever clock is ahead', () => {
    const clock = fakeClock();
    const proof = new HmacPeerProof('key', clock);
    const signed = proof.sign();
    const verifiesAfter = (ms: number) =>
      new HmacPeerProof('key', { ...clock, nowMs: () => clock.nowMs() + ms }).verifies(signed);
    expect([-60_001, -60_000, 60_000, 60_001].map(verifiesAfter)).toEqual([false, true, true, false]);
  });

  test('of another key, or that was changed, is refused', () => {
    const clock = fakeClock();
    const proof = new HmacPeerProof('key', clock);
    const signed = proof.sign();
    const [time = '', mac = ''] = signed.split('.');
    const forged = [
      ...['', '.', time, `${time}.`, `.${mac}`, mac, `${Number(time) + 1}.${mac}`, `${time}.${mac.slice(1)}`],
      ...[`${time}.${mac}0`, `${time}.${mac.toUpperCase()}x`, ` ${signed}`, `0${signed}`, `${time}.${'0'.repeat(64)}`],
      new HmacPeerProof('other', clock).sign(),
    ];
    expect(forged.filter((each) => proof.verifies(each))).toEqual([]);
  });
});
