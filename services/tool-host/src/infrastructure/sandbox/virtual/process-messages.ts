import { z } from 'zod';
import { maxPieceBytes, type ProcessMessage } from './messages.ts';

/** As long as the file service allows, and some more. */
const path = z.string().min(1).max(8192);
const id = z.int().min(1);
const type = z.literal('file');

/** What the process of a command may say. Whoever breaks through its shell can say anything. */
const messages = z.union([
  z.strictObject({ type: z.literal('output'), stream: z.enum(['stdout', 'stderr']) }),
  z.strictObject({ type: z.literal('ready') }),
  z.strictObject({ type: z.literal('exit'), exitCode: z.int().min(0).max(255) }),
  z.strictObject({ type: z.literal('probed'), breaches: z.array(z.string()), output: z.string() }),
  z.discriminatedUnion('operation', [
    z.strictObject({ type, id, operation: z.literal('stat'), path }),
    z.strictObject({ type, id, operation: z.literal('list'), path, pageToken: z.string().max(4096) }),
    z.strictObject({
      type,
      id,
      operation: z.literal('read'),
      path,
      offset: z.int().min(0),
      length: z.int().min(1).max(maxPieceBytes),
    }),
    z.strictObject({ type, id, operation: z.literal('write'), path, etag: z.string().max(4096) }),
    z.strictObject({ type, id, operation: z.literal('make-directory'), path }),
    z.strictObject({
      type,
      id,
      operation: z.literal('delete'),
      path,
      isRecursive: z.boolean(),
      etag: z.string().max(4096),
    }),
    z.strictObject({ type, id, operation: z.literal('move'), path, toPath: path }),
  ]),
]);

/** Undefined when it is nothing that a process may say. */
export function parseProcessMessage(head: unknown): ProcessMessage | undefined {
  return messages.safeParse(head).data;
}
