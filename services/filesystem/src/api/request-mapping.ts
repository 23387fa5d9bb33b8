import {
  type GlobRequest,
  type GrepRequest,
  type WriteRequest,
  WriteRequestSchema,
} from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import { DomainError } from '@spanwise/kernel';
import type { GlobRequest as GlobInput } from '../application/glob.ts';
import type { GrepRequest as GrepInput } from '../application/grep.ts';
import type { WriteFileRequest } from '../application/write-file.ts';
import { toChangeSource } from './change-mapping.ts';

/** Default and cap of a number that a request may leave to the service. */
export interface Limit {
  readonly default: number;
  readonly cap: number;
}

export const pageLimit: Limit = { default: 200, cap: 1000 };
const globLimit: Limit = { default: 100, cap: 1000 };
const grepLimit: Limit = { default: 1000, cap: 10_000 };

/** 0 asks for the default; more than the cap is the cap. */
export function limitOf(asked: number, limit: Limit): number {
  return asked === 0 ? limit.default : Math.min(asked, limit.cap);
}

/** An empty etag guards nothing. */
export function guardOf(ifMatch: string): string | undefined {
  return ifMatch === '' ? undefined : ifMatch;
}

/** An offset beyond all files is as good as any other that is. */
export function offsetOf(offset: bigint): number {
  return Number(offset > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : offset);
}

/** Throws INVALID_FIELD for two guards that can not hold together. */
export function toWriteRequest(message: WriteRequest): WriteFileRequest {
  const { viewId, path, data, ifMatch, createOnly } = message;
  if (ifMatch !== '' && createOnly) {
    const description = 'can not be set together with if_match';
    throw new DomainError('invalid', 'INVALID_FIELD', `Invalid request: create_only: ${description}`, {
      violations: [{ field: 'create_only', description }],
    });
  }
  return { viewId, path, data, ifMatch: guardOf(ifMatch), createOnly, ...toChangeSource(WriteRequestSchema, message) };
}

export function toGlobInput({ viewId, path, pattern, limit }: GlobRequest): GlobInput {
  return { viewId, path: path === '' ? '/' : path, pattern, limit: limitOf(limit, globLimit) };
}

export function toGrepInput(request: GrepRequest): GrepInput {
  const { viewId, path, pattern, include, ignoreCase, contextLines, limit } = request;
  return {
    viewId,
    path: path === '' ? '/' : path,
    pattern,
    include,
    ignoreCase,
    contextLines,
    limit: limitOf(limit, grepLimit),
  };
}
