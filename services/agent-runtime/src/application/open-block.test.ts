import { describe, expect, it } from 'vitest';
import { OpenBlock, type Piece } from './open-block.ts';

const sample = 'aé€😀—漢字\u{10FFFF}z👩‍👩‍👧ß\u0000\uFFFD.';

/** The same numbers in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Text in random pieces, cut between UTF-16 units wherever it falls, pairs included. */
function split(text: string, random: () => number): string[] {
  const pieces: string[] = [];
  for (let start = 0; start < text.length; ) {
    const end = Math.min(text.length, start + Math.floor(random() * 4));
    pieces.push(text.slice(start, end));
    start = end;
  }
  return pieces;
}

function stream(pieces: readonly string[]): { readonly block: OpenBlock; readonly said: readonly Piece[] } {
  const block = new OpenBlock();
  const said = [...pieces.map((piece) => block.append(piece)), block.end()].filter((piece) => piece !== undefined);
  return { block, said };
}

describe('a block', () => {
  it('counts bytes so that each piece begins where the ones before it end, however the text is cut', () => {
    for (let seed = 1; seed <= 500; seed += 1) {
      const { block, said } = stream(split(sample.repeat(3), seeded(seed)));
      let offset = 0;
      for (const piece of said) {
        expect(piece.offset).toBe(BigInt(offset));
        expect(piece.text).not.toBe('');
        expect(piece.text.isWellFormed()).toBe(true);
        offset += new TextEncoder().encode(piece.text).length;
      }
      expect(block.text).toBe(sample.repeat(3));
      expect(block.length).toBe(offset);
    }
  });

  it('says nothing of half a character until the other half comes', () => {
    const block = new OpenBlock();
    expect(block.append('a\ud83d')).toEqual({ offset: 0n, text: 'a' });
    expect(block.append('\ude00b')).toEqual({ offset: 1n, text: '😀b' });
    expect(block.end()).toBeUndefined();
  });

  it('replaces halves that stay alone', () => {
    const { block, said } = stream(['a\ud83d', 'b\ude00', '\ud83d']);
    expect(said.map(({ text }) => text)).toEqual(['a', '\uFFFDb\uFFFD', '\uFFFD']);
    expect(block.text).toBe('a\uFFFDb\uFFFD\uFFFD');
    expect(block.length).toBe(11);
  });
});
