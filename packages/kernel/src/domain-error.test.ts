import { expect, test } from 'vitest';
import { DomainError } from './domain-error.ts';

test('knows errors of another copy of its class, and nothing else', async () => {
  // As a module outside of a bundle has it.
  const path = './domain-error.ts?copy';
  const copy = (await import(/* @vite-ignore */ path)) as { readonly DomainError: typeof DomainError };
  expect(copy.DomainError).not.toBe(DomainError);
  const error: unknown = new copy.DomainError('not-found', 'X', 'No x.');
  expect(
    [error, new RangeError('x'), { name: 'DomainError' }, undefined].map((each) => each instanceof DomainError),
  ).toEqual([true, false, false, false]);
});

test('a class made from it means its own instances only', () => {
  class FileError extends DomainError {}
  expect(new DomainError('invalid', 'X', 'x')).not.toBeInstanceOf(FileError);
  expect(new FileError('invalid', 'X', 'x')).toBeInstanceOf(FileError);
  expect(new FileError('invalid', 'X', 'x')).toBeInstanceOf(DomainError);
});
