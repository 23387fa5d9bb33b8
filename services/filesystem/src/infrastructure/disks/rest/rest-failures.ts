import type { DomainError } from '@spanwise/kernel';
import { z } from 'zod';
import {
  directoryNotEmpty,
  fileAccessDenied,
  fileExists,
  fileNotFound,
  fileTooLarge,
  notADirectory,
  notAFile,
  pathUnusable,
} from '../../../domain/disk/file-errors.ts';
import { maxFileBytes } from '../../../domain/disk/file-store.ts';
import type { VirtualPath } from '../../../domain/path/virtual-path.ts';
import type { RestAnswer } from './rest-answer.ts';

/** What a server can have against a request, by the reason in its problem document. */
type Conflict = 'NOT_A_FILE' | 'NOT_A_DIRECTORY' | 'FILE_EXISTS' | 'DIRECTORY_NOT_EMPTY' | 'PATH_INVALID';

export interface AskedOf {
  /** What failures are about. */
  readonly path: VirtualPath;
  /** What has to be there; `path` by default. */
  readonly source?: VirtualPath;
  /** What a 409 means when the server does not say. */
  readonly conflict: Conflict;
  /** Bytes that were sent. */
  readonly size?: number;
}

const problemSchema = z.object({
  reason: z.string().optional().catch(undefined),
  path: z.string().optional().catch(undefined),
  limit_bytes: z.int().positive().optional().catch(undefined),
});
type Problem = z.infer<typeof problemSchema>;

const maxProblemBytes = 16 * 1024;

/** The failure that an answer tells, by its status and the `reason` of its problem document (RFC 9457). */
export async function toldFailure(answer: RestAnswer, asked: AskedOf): Promise<DomainError> {
  const { path, source = path, size = maxFileBytes } = asked;
  const problem = await readProblem(answer);
  switch (answer.status) {
    case 403:
      return fileAccessDenied(source);
    case 404:
    case 410:
      return fileNotFound(source);
    case 400:
    case 409:
    case 422: {
      const plain = answer.status === 409 ? asked.conflict : 'PATH_INVALID';
      return conflictOf(problem.reason, path, problem) ?? conflictOf(plain, path, problem) ?? answer.unusable('it');
    }
    case 413:
      return fileTooLarge(path, problem.limit_bytes ?? Math.max(size - 1, 0));
    case 414:
    case 431:
      return pathUnusable(path, 'too long for its disk');
    default:
      return answer.unusable('nothing that is agreed upon');
  }
}

function conflictOf(reason: string | undefined, path: VirtualPath, problem: Problem): DomainError | undefined {
  switch (reason) {
    case 'NOT_A_FILE':
      return notAFile(path);
    case 'NOT_A_DIRECTORY':
      return notADirectory(aboveOrAt(path, problem.path) ?? path);
    case 'FILE_EXISTS':
      return fileExists(path);
    case 'DIRECTORY_NOT_EMPTY':
      return directoryNotEmpty(path);
    case 'PATH_INVALID':
      return pathUnusable(path, 'its disk does not take it');
    default:
      return undefined;
  }
}

/** What is in the way: nothing but the path and what is above it can be, whatever the server says. */
function aboveOrAt(path: VirtualPath, text: string | undefined): VirtualPath | undefined {
  if (path.text === text) {
    return path;
  }
  return path.isRoot ? undefined : aboveOrAt(path.parent, text);
}

/** Its text is for the server's own operators: only what programs branch on is taken. */
async function readProblem(answer: RestAnswer): Promise<Problem> {
  if (answer.mediaType !== 'application/problem+json' || (answer.length ?? 0) > maxProblemBytes) {
    return {};
  }
  const text = new TextDecoder().decode(await answer.bytes(maxProblemBytes));
  try {
    return problemSchema.parse(JSON.parse(text));
  } catch {
    return {};
  }
}
