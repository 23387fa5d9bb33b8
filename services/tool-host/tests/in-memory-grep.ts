import { matchesGlob } from 'node:path';
import type { GrepItem, GrepQuery } from '@spanwise/tool-kit/contract';
import type { FileCall } from '../src/application/ports/run-files.ts';
import { fileError } from '../src/domain/files/file-errors.ts';

/** What is searched. */
interface SearchedFiles {
  readonly partialSources: readonly string[];
  begin(call: FileCall, path: string): Promise<void>;
  /** Waits while the path is stalled. */
  pass(call: FileCall, path: string): Promise<void>;
  /** Throws FILE_NOT_FOUND. */
  info(path: string): unknown;
  under(path: string): readonly string[];
  file(path: string): { readonly data: Uint8Array };
  text(path: string): string;
}

/** Searches files in memory as the file service does. */
export async function* grepIn(
  all: SearchedFiles,
  call: FileCall,
  { path, pattern, include, ignoresCase, contextLines, limit }: GrepQuery,
): AsyncGenerator<GrepItem> {
  await all.begin(call, path);
  all.info(path);
  const expression = compile(pattern, ignoresCase);
  const { partialSources } = all;
  let found = 0;
  let filesSearched = 0;
  let filesSkipped = 0;
  for (const file of all.under(path)) {
    if (include !== '' && !matchesGlob(relativeTo(path, file), include)) {
      continue;
    }
    if (all.file(file).data.includes(0)) {
      filesSkipped += 1;
      continue;
    }
    await all.pass(call, file);
    filesSearched += 1;
    const lines = all.text(file).split('\n');
    for (const [index, text] of lines.entries()) {
      if (!expression.test(text)) {
        continue;
      }
      if (found === limit) {
        yield { type: 'summary', filesSearched, filesSkipped, isTruncated: true, partialSources };
        return;
      }
      found += 1;
      const before = lines.slice(Math.max(0, index - contextLines), index);
      const after = lines.slice(index + 1, index + 1 + contextLines);
      yield { type: 'match', path: file, line: index + 1, text, before, after };
    }
  }
  yield { type: 'summary', filesSearched, filesSkipped, isTruncated: false, partialSources };
}

function compile(pattern: string, ignoresCase: boolean): RegExp {
  try {
    return new RegExp(pattern, ignoresCase ? 'i' : '');
  } catch (error) {
    throw fileError('PATTERN_INVALID', { why: error instanceof Error ? error.message : '' });
  }
}

export function relativeTo(directory: string, path: string): string {
  return path.slice(directory === '/' ? 1 : directory.length + 1);
}
