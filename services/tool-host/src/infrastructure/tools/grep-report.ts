import type { GrepItem, GrepMatch, GrepSummary, ToolOutput } from '@spanwise/tool-kit/contract';
import { clipText } from '../../domain/text/bounded-text.ts';
import { partialNotice } from './partial-notice.ts';

/** Gathers what a search finds and shows it in one of the modes of grep. */
export interface GrepReport {
  /** Takes the next item; true when nothing further would be shown. */
  add(item: GrepItem): boolean;
  output(): ToolOutput;
}

/** Matches, or files, that are shown. */
export const maxHits = 50;
/** UTF-16 code units of a line that are shown, so that fifty lines fit into one answer. */
const maxLineLength = 500;

/** Mode `content`: the lines, file by file, with their numbers. */
export function matchesReport(): GrepReport {
  const matches: GrepMatch[] = [];
  return report(
    (match) => {
      if (matches.length === maxHits) {
        return true;
      }
      matches.push(match);
      return false;
    },
    () => ({ text: [...byPath(matches)].map(([path, found]) => `${path}\n${linesOf(found)}`).join('\n\n') }),
  );
}

/** Mode `files`: the files that have a match. */
export function filesReport(): GrepReport {
  const paths = new Set<string>();
  return report(
    ({ path }) => {
      if (paths.size === maxHits && !paths.has(path)) {
        return true;
      }
      paths.add(path);
      return false;
    },
    () => ({ text: [...paths].join('\n') }),
  );
}

/** Mode `count`: how many lines of each file match. */
export function countsReport(): GrepReport {
  const counts = new Map<string, number>();
  let total = 0;
  return report(
    ({ path }) => {
      counts.set(path, (counts.get(path) ?? 0) + 1);
      total += 1;
      return false;
    },
    () => {
      const shown = [...counts].slice(0, maxHits).map(([path, count]) => `${path}: ${count}`);
      const sum = `[Matches: ${total}. Files: ${counts.size}.]`;
      const notice = counts.size > maxHits ? `${sum}\n[Only the first ${maxHits} files are shown: refine.]` : sum;
      return { text: shown.join('\n'), notice };
    },
  );
}

/** What all modes have in common: `take` says when it has enough, `show` what it took. */
function report(take: (match: GrepMatch) => boolean, show: () => ToolOutput): GrepReport {
  let hasMatch = false;
  let hasMore = false;
  let summary: GrepSummary | undefined;
  return {
    add(item) {
      if (item.type === 'summary') {
        summary = item;
        return false;
      }
      hasMatch = true;
      hasMore = take(item);
      return hasMore;
    },
    output() {
      const { text, notice } = hasMatch ? show() : { text: 'No line matches.', notice: undefined };
      const notices = [notice, ...noticesOf(hasMore, summary)].filter((each) => each !== undefined);
      return { text, notice: notices.join('\n') };
    },
  };
}

function noticesOf(hasMore: boolean, summary: GrepSummary | undefined): string[] {
  const isCut = hasMore || summary?.isTruncated === true;
  const skipped = summary?.filesSkipped ?? 0;
  return [
    ...(isCut ? ['[There are more hits: refine the pattern, the path or include.]'] : []),
    ...(skipped > 0 ? [`[Files skipped, binary or too large: ${skipped}.]`] : []),
    ...partialNotice(summary?.partialSources ?? []),
  ];
}

function byPath(matches: readonly GrepMatch[]): Map<string, GrepMatch[]> {
  return Map.groupBy(matches, ({ path }) => path);
}

/** Lines of one file, each once though the context of two matches may overlap, with `--` where lines are left out. */
function linesOf(matches: readonly GrepMatch[]): string {
  const lines = new Map<number, string>();
  for (const { line, before, after } of matches) {
    before.forEach((text, index) => lines.set(line - before.length + index, `- ${clipLine(text)}`));
    after.forEach((text, index) => lines.set(line + 1 + index, `- ${clipLine(text)}`));
  }
  for (const { line, text } of matches) {
    lines.set(line, `: ${clipLine(text)}`);
  }
  const sorted = [...lines].sort(([a], [b]) => a - b);
  return sorted
    .map(([number, text], index) => {
      const previous = sorted[index - 1]?.[0] ?? number - 1;
      return `${previous === number - 1 ? '' : '--\n'}${number}${text}`;
    })
    .join('\n');
}

function clipLine(text: string): string {
  return text.length <= maxLineLength ? text : `${clipText(text, maxLineLength)}…`;
}
