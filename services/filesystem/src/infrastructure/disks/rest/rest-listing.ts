import { z } from 'zod';
import type { DiskEntry, DiskNode, DiskPage, ListRequest } from '../../../domain/disk/file-store.ts';
import { compareNames } from '../../../domain/path/name-order.ts';
import { isSegment } from '../../../domain/path/virtual-path.ts';
import type { RestAnswer } from './rest-answer.ts';
import { directoryMediaType, timeOf, toldFile } from './rest-nodes.ts';

/** Entries that are asked for at once at most. */
export const maxPageEntries = 1000;
/** Bytes of a page: entries with the longest names there are, every character of them escaped. */
const maxPageBytes = 4 * 1024 * 1024;
const maxEntryBytes = 16 * 1024;

const nodeSchema = z.object({
  kind: z.string(),
  size: z.int().nonnegative().optional(),
  etag: z.string().optional(),
  modify_time: z.string().optional(),
});
const pageSchema = z.object({ entries: z.array(nodeSchema.extend({ name: z.string() })), next: z.string().optional() });

type ToldNode = z.infer<typeof nodeSchema>;

/**
 * Reads a page of a directory. Names that no path leads to are left out, and so is what is neither a file nor a directory.
 * Throws DISK_UNAVAILABLE for a page that is not the one that was asked for.
 */
export async function readPage(
  answer: RestAnswer,
  { after, limit, withEtags }: ListRequest,
  needsEtag: boolean,
): Promise<DiskPage> {
  if (answer.mediaType !== directoryMediaType) {
    // A file can hold what looks like a page.
    throw answer.unusable('no directory');
  }
  const page = await readJson(answer, pageSchema, maxPageBytes);
  const entries = page.entries
    .flatMap((told) => entryOf(answer, told, needsEtag && withEtags))
    .toSorted((left, right) => compareNames(left.name, right.name));
  const isRepeated = entries.some(({ name }, index) => name === entries[index + 1]?.name);
  const first = entries.at(0)?.name;
  if (isRepeated || (first !== undefined && after !== '' && compareNames(first, after) <= 0)) {
    throw answer.unusable('a name twice, or one of a page before');
  }
  if (page.next !== undefined && !isAfter(page.next, entries.at(-1)?.name ?? '', after)) {
    throw answer.unusable('a next page that does not follow this one');
  }
  const kept = entries.slice(0, limit);
  return { entries: kept, next: kept.length < entries.length ? kept.at(-1)?.name : page.next };
}

/** Reads what is there from a body that describes it. */
export async function readNode(answer: RestAnswer, needsEtag: boolean): Promise<DiskNode> {
  const node = nodeOf(answer, await readJson(answer, nodeSchema, maxEntryBytes), needsEtag);
  if (node === undefined) {
    throw answer.unusable('neither a file nor a directory');
  }
  return node;
}

function entryOf(answer: RestAnswer, told: ToldNode & { readonly name: string }, needsEtag: boolean): DiskEntry[] {
  const node = isSegment(told.name) ? nodeOf(answer, told, needsEtag) : undefined;
  return node === undefined ? [] : [{ name: told.name, node }];
}

/** Undefined for another kind of node. */
function nodeOf(answer: RestAnswer, told: ToldNode, needsEtag: boolean): DiskNode | undefined {
  if (told.kind === 'directory') {
    return { kind: 'directory', modifyTimeMs: timeOf(told.modify_time) };
  }
  if (told.kind !== 'file') {
    return undefined;
  }
  const node = toldFile({ size: told.size, etag: told.etag, modifyTime: told.modify_time }, needsEtag);
  if (node === undefined) {
    throw answer.unusable('a file without size or strong etag');
  }
  return node;
}

/** Whether the next page can begin after `next`: it leaves nothing out of this one, and gets on. */
function isAfter(next: string, last: string, after: string): boolean {
  const isName = next.isWellFormed() && next.length <= maxNextLength && compareNames(next, after) > 0;
  return isName && compareNames(next, last) >= 0;
}

const maxNextLength = 255;

async function readJson<Value>(answer: RestAnswer, schema: z.ZodType<Value>, maxBytes: number): Promise<Value> {
  const text = new TextDecoder().decode(await answer.bytes(maxBytes));
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw answer.unusable('a body that is no JSON');
  }
  const result = schema.safeParse(json);
  if (!result.success) {
    throw answer.unusable('JSON that is not what was asked for');
  }
  return result.data;
}
