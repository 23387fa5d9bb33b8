import { DomainError } from '@spanwise/kernel';
import { expect, test } from 'vitest';
import { hasReason, restateFileError } from './file-errors.ts';

test('says what is wrong in words that the model can act on, with the facts of the file service', () => {
  const wire = new DomainError('precondition', 'EDIT_AMBIGUOUS', 'ambiguous', { facts: { path: '/w/a', count: '3' } });
  const error = restateFileError(wire, '/asked');
  expect(error).toMatchObject({ kind: 'precondition', reason: 'EDIT_AMBIGUOUS', facts: { path: '/w/a', count: '3' } });
  expect(error.message).toBe(
    'old_text is in /w/a 3 times. Add lines around it until it is unique, or set replace_all.',
  );
});

test('takes whatever makes the file service unreachable for one thing', () => {
  const error = restateFileError(new DomainError('unavailable', 'INTERNAL', 'ECONNREFUSED 10.0.0.7:7004'), '/a');
  expect(hasReason(error, 'DISK_UNAVAILABLE')).toBe(true);
  expect(error.message).toBe(
    'The files could not be reached. The call itself is fine: it may be tried again in a moment.',
  );
});

test('leaves other errors as they are', () => {
  const error = new DomainError('internal', 'INTERNAL', 'Internal error.');
  expect(restateFileError(error, '/a')).toBe(error);
});
