import {
  type UploadBegin as BeginMessage,
  UploadBeginSchema,
  type UploadRequest,
} from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import { DomainError } from '@spanwise/kernel';
import type { UploadBegin, UploadPart } from '../application/upload.ts';
import { toChangeSource } from './change-mapping.ts';
import { guardOf, offsetOf } from './request-mapping.ts';

const maxChunkBytes = 1024 * 1024;
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** What an upload begins with, and what comes after it. */
export interface UploadStream {
  readonly begin: UploadBegin;
  readonly parts: AsyncIterable<UploadPart>;
}

/**
 * Reads the first message of an upload. The rules of its messages are checked here: what checks those of other requests
 * leaves streams to their handler. Throws INVALID_FIELD.
 */
export async function openUpload(messages: AsyncIterable<UploadRequest>): Promise<UploadStream> {
  const iterator = messages[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done === true || first.value.part.case !== 'begin') {
    throw invalid('part', 'the first message must be begin');
  }
  return { begin: toUploadBegin(first.value.part.value), parts: partsOf(iterator) };
}

/** The end is told when nothing comes after it. */
async function* partsOf(messages: AsyncIterator<UploadRequest>): AsyncGenerator<UploadPart> {
  let sha256: string | undefined;
  for (let next = await messages.next(); next.done !== true; next = await messages.next()) {
    const { part } = next.value;
    if (sha256 !== undefined) {
      throw invalid('part', 'nothing may follow end');
    }
    switch (part.case) {
      case 'chunk':
        assertField(part.value.length <= maxChunkBytes, 'chunk', `must be at most ${maxChunkBytes} bytes`);
        yield { type: 'chunk', data: part.value };
        break;
      case 'end':
        assertField(/^[0-9a-f]{64}$/.test(part.value.sha256), 'end.sha256', 'must be 64 lower-case hex digits');
        sha256 = part.value.sha256;
        break;
      case 'begin':
        throw invalid('part', 'begin must be the first message only');
      default:
        throw invalid('part', 'must be chunk or end');
    }
  }
  if (sha256 !== undefined) {
    yield { type: 'end', sha256 };
  }
}

function toUploadBegin(message: BeginMessage): UploadBegin {
  const { viewId, path, ifMatch, createOnly, epoch, idempotencyKey, uploadId, offset } = message;
  assertField(uuid.test(viewId), 'begin.view_id', 'must be a valid UUID');
  assertField(uuid.test(uploadId), 'begin.upload_id', 'must be a valid UUID');
  assertField(ifMatch.length <= 256, 'begin.if_match', 'must be at most 256 characters');
  assertField(epoch >= 0n, 'begin.epoch', 'must be at least 0');
  assertField(offset >= 0n, 'begin.offset', 'must be at least 0');
  const isKey = idempotencyKey.length <= 128 && /^[!-~]*$/.test(idempotencyKey);
  assertField(isKey, 'begin.idempotency_key', 'must be at most 128 printable ASCII characters');
  assertField(ifMatch === '' || !createOnly, 'begin.create_only', 'can not be set together with if_match');
  // However often the content was sent, and in whichever upload: its checksum says whether it is the same.
  const source = toChangeSource(UploadBeginSchema, { ...message, uploadId: '', offset: 0n });
  const guard = { ifMatch: guardOf(ifMatch), createOnly };
  return { viewId, path, ...guard, uploadId: uploadId.toLowerCase(), offset: offsetOf(offset), ...source };
}

function assertField(isValid: boolean, field: string, description: string): void {
  if (!isValid) {
    throw invalid(field, description);
  }
}

function invalid(field: string, description: string): DomainError {
  return new DomainError('invalid', 'INVALID_FIELD', `Invalid request: ${field}: ${description}`, {
    violations: [{ field, description }],
  });
}
