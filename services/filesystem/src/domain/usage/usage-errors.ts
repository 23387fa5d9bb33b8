import { DomainError } from '@spanwise/kernel';
import type { QuotaLimit } from './usage.ts';

/** A user has as much on a disk as may be there. The caller deletes something, or ends runs that hold files. */
export function diskQuotaExceeded(disk: string, { name, max }: QuotaLimit): DomainError {
  return new DomainError('exhausted', 'QUOTA_EXCEEDED', `The limit ${name} of ${max} on the disk ${disk} is reached.`, {
    facts: { limit: name, max, disk },
  });
}
