import { DomainError } from '@spanwise/kernel';
import { diskUnavailable } from '../../../domain/disk/disk-errors.ts';
import { fileAccessDenied } from '../../../domain/disk/file-errors.ts';
import type { VirtualPath } from '../../../domain/path/virtual-path.ts';

/**
 * How a store has refused what was asked for. `conflict` = somebody else is at it, the same may do later; `length` = it has
 * answered with more or fewer bytes than were asked for.
 */
export type Refusal = 'missing' | 'condition' | 'conflict' | 'length';

/** What a failure of the driver tells that can be relied on: all of it is text, and most of that tells addresses. */
interface ToldFailure {
  readonly kind: string;
  readonly isTemporary: boolean;
  readonly isOfLength: boolean;
  readonly status: string | undefined;
  readonly code: string | undefined;
  readonly retryAfterMs: number | undefined;
}

const maxRetryAfterMs = 60_000;

/** Undefined for every failure that is no refusal. */
export function refusalOf(error: unknown): Refusal | undefined {
  const { kind, isTemporary, isOfLength } = told(error);
  switch (kind) {
    case 'NotFound':
      return 'missing';
    case 'ConditionNotMatch':
      return isTemporary ? 'conflict' : 'condition';
    case 'AlreadyExists':
      return 'condition';
    default:
      return isOfLength ? 'length' : undefined;
  }
}

/** What to throw for a failure: FILE_ACCESS_DENIED or DISK_UNAVAILABLE, without the addresses that the driver tells. */
export function failureAt(disk: string, path: VirtualPath, operation: string, error: unknown): unknown {
  if (error instanceof DomainError) {
    return error;
  }
  const { kind, status, code, retryAfterMs } = told(error);
  if (kind === 'PermissionDenied') {
    return fileAccessDenied(path);
  }
  const details = [kind, status, code].filter((each) => each !== undefined).join(' ');
  return diskUnavailable(disk, `${operation} failed: ${details}`, retryAfterMs);
}

function told(error: unknown): ToldFailure {
  const text = error instanceof Error ? error.message : '';
  const [, kind = 'unknown', persistence] = /^(\w+) \((\w+)\) at /.exec(text) ?? [];
  const seconds = /"retry-after": "(\d{1,6})"/.exec(text)?.[1];
  return {
    kind,
    isTemporary: persistence === 'temporary',
    isOfLength: /=> reader got too (?:much|little) data$|\bstatus: 416\b/.test(text),
    status: /\bstatus: (\d{3})\b/.exec(text)?.[1],
    code: /Error \{ code: "(\w{1,64})"/.exec(text)?.[1],
    retryAfterMs: seconds === undefined ? undefined : Math.min(Math.max(Number(seconds) * 1000, 1000), maxRetryAfterMs),
  };
}
