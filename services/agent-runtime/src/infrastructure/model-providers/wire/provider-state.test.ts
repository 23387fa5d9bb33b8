import { describe, expect, it } from 'vitest';
import { decodeState, encodeState } from './provider-state.ts';

describe('the state of a provider', () => {
  it('comes back as it was given', () => {
    const state = { signature: 'äx==', list: [1, null] };
    expect(decodeState('google', encodeState('google', state))).toEqual(state);
  });

  it.each([
    ['of another provider', encodeState('openai-responses', { a: 1 })],
    ['that is empty', new Uint8Array()],
    ['that is no JSON', new TextEncoder().encode('{')],
    ['that is no object', new TextEncoder().encode('null')],
  ])('is not taken from what is %s', (_, bytes) => {
    expect(decodeState('google', bytes)).toBeUndefined();
  });
});
