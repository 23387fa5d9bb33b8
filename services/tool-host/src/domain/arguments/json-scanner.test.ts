import { describe, expect, test } from 'vitest';
import { findJsonFault, locateJson, maxJsonDepth } from './json-scanner.ts';

test.each([
  ['', 'cut', 0],
  ['{"path": "a.txt"', 'cut', 16],
  ['{"path": "a.t', 'cut', 13],
  ['{"path": "a\\', 'cut', 11],
  ['{"path": "\\u00', 'cut', 10],
  ['{"path":', 'cut', 8],
  ['{"path": "a", ', 'cut', 14],
  ['{"limit": 12', 'cut', 12],
  ['{"limit": tru', 'cut', 13],
  ['{path: "a.txt"}', 'syntax', 1],
  ["{'path': 'a.txt'}", 'syntax', 1],
  ['{"path": "a.txt",}', 'syntax', 17],
  ['{"path" "a.txt"}', 'syntax', 8],
  ['{"path": "a" "limit": 1}', 'syntax', 13],
  ['{"limit": 01}', 'syntax', 10],
  ['{"limit": NaN}', 'syntax', 10],
  ['{"path": "a\nb"}', 'syntax', 11],
  ['{"path": "\\x"}', 'syntax', 10],
  ['{"path": "a"} and more', 'syntax', 14],
  ['I will read the file', 'syntax', 0],
])('finds the fault of %j', (text, kind, position) => {
  expect(findJsonFault(text)).toMatchObject({ kind, position });
});

test('takes what is nested as deep as allowed and refuses one level more', () => {
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
  expect(findJsonFault(nested(maxJsonDepth))).toBeUndefined();
  expect(findJsonFault(nested(maxJsonDepth + 1))).toMatchObject({ kind: 'too-deep', position: maxJsonDepth });
  expect(findJsonFault('{"a":'.repeat(100_000))).toMatchObject({ kind: 'too-deep' });
});

test('agrees with JSON.parse about a thousand damaged texts', () => {
  const whole = '{"a": [1, -2.5e+3, true, null, "x\\u00e9\\n\\"y"], "b": {"c": "\u{1f600}", "d": {}}, "e": []}';
  const damage = '{}[]",:\\ 0e.-u\n\u0001t';
  let state = 1;
  const random = (below: number) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
  for (let round = 0; round < 1000; round += 1) {
    const at = random(whole.length);
    const text = whole.slice(0, at) + damage.charAt(random(damage.length)) + whole.slice(at + random(3));
    const fault = findJsonFault(text);
    // Of two keys that are the same JSON.parse takes the last one.
    const isTaken = fault === undefined || fault.problem === 'the key is there twice';
    expect([text, isTaken]).toEqual([text, isJson(text)]);
  }
});

test('takes no key twice, however it is written, in one object', () => {
  expect(findJsonFault('{"a": 1, "b": {"a": 2}, "\\u0061": 3}')).toEqual({
    kind: 'syntax',
    position: 24,
    problem: 'the key is there twice',
  });
  expect(findJsonFault('{"a": {"b": 1}, "c": {"b": 1}}')).toBeUndefined();
});

test('calls every head of a text cut', () => {
  const whole = '{"a": [1, true, "x\\u00e9\\n"], "b": {"c": -2.5}}';
  const kinds = Array.from({ length: whole.length }, (_, end) => findJsonFault(whole.slice(0, end))?.kind);
  expect(new Set(kinds)).toEqual(new Set(['cut']));
});

describe('locateJson', () => {
  const text = ' {"a": {"b": 1}, "edits": [{"old": "x"}, {"old": 2, "": 3}], "b": {"b": 5}}';
  test.each([
    [[], 1],
    [['a'], 2],
    [['a', 'b'], 8],
    [['b'], 61],
    [['b', 'b'], 67],
    [['edits', 1], 41],
    [['edits', 1, 'old'], 42],
    [['edits', 1, ''], 52],
    [['edits', 1, 'new'], 41],
    [['edits', 7], 17],
    [['nothing'], 1],
  ])('finds %j', (path, position) => {
    expect(locateJson(text, path)).toBe(position);
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
