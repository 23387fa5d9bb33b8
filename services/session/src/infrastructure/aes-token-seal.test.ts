import { brandId, type RunId } from '@spanwise/kernel';
import { expect, test } from 'vitest';
import { AesTokenSeal } from './aes-token-seal.ts';

const [first, second] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
const [run, other] = ['a', 'b'].map((id) => brandId<RunId>(id)) as [RunId, RunId];
const token = 'header.payload.sïgnature';

test('opens what it has sealed, for the same run only', () => {
  const seal = new AesTokenSeal([first]);
  const sealed = seal.seal(token, run);
  expect(seal.open(sealed, run)).toBe(token);
  expect(seal.open(sealed, other)).toBe('');
  expect(Buffer.from(sealed, 'base64').toString('latin1')).not.toContain('payload');
  expect(seal.seal(token, run), 'each time another').not.toBe(sealed);
});

test('opens with an older key, and not with one that it does not have', () => {
  const sealed = new AesTokenSeal([first]).seal(token, run);
  expect(new AesTokenSeal([second, first]).open(sealed, run)).toBe(token);
  expect(new AesTokenSeal([second]).open(sealed, run)).toBe('');
});

test('takes nothing that was changed, cut or made up', () => {
  const seal = new AesTokenSeal([first]);
  const sealed = seal.seal(token, run);
  const bytes = Buffer.from(sealed, 'base64');
  for (const index of bytes.keys()) {
    const changed = Buffer.from(bytes);
    changed[index] = (changed[index] ?? 0) ^ 1;
    expect(seal.open(changed.toString('base64'), run)).toBe('');
    expect(seal.open(bytes.subarray(0, index).toString('base64'), run)).toBe('');
  }
  expect(['', 'x', '!'.repeat(99), 'A'.repeat(400)].map((text) => seal.open(text, run))).toEqual(['', '', '', '']);
});

test('keeps nothing without a key, and nothing of nobody', () => {
  expect(new AesTokenSeal([]).seal(token, run)).toBe('');
  expect(new AesTokenSeal([first]).seal('', run)).toBe('');
});
