import { clipText } from '../../domain/text/bounded-text.ts';
import { redact } from '../../domain/text/redact.ts';

/** Control characters, marks that turn the direction of text and characters of no width: what people do not get to see. */
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}]/gu;

/** A text of a server that is shown in one line: clipped, and without what people do not get to see. */
export function remoteLine(text: string, maxLength: number): string {
  return clipText(
    text
      .slice(0, maxLength * 2)
      .toWellFormed()
      .replaceAll(unseen, ' ')
      .trim(),
    maxLength,
  );
}

/** A text of a server that may have several lines. */
export function remoteText(text: string, maxLength: number): string {
  const lines = text
    .slice(0, maxLength * 2)
    .toWellFormed()
    .replaceAll('\r\n', '\n')
    .split('\n');
  return clipText(
    lines
      .map((line) => line.replaceAll('\t', '  ').replaceAll(unseen, ''))
      .join('\n')
      .trim(),
    maxLength,
  );
}

/**
 * What a server says about an error, for the model: one line, without what looks like a secret, a stack or a place on a disk.
 */
export function remoteError(text: string): string {
  const [head = ''] = text.split(/\n\s+at |\n\n|Traceback \(most recent call last\)/, 1);
  return remoteLine(redact(head).replaceAll(/(?:file:\/\/)?(?:\/[\w.@~-]+){2,}(?::\d+)*/g, '[path]'), 500);
}

/** Lines of a stack: of JavaScript, of Java and of Python. */
const stackLine = /^\s+at .{1,500}$|^\s+File ".{1,500}", line \d+.*$|^Traceback \(most recent call last\):$/;

/** What a tool of a server says about its failure, for the model: bounded, and without stacks. What looks like a secret goes later. */
export function remoteFailureText(text: string): string {
  const lines = text.slice(0, maxFailureLength * 4).split('\n');
  return clipText(lines.filter((line) => !stackLine.test(line)).join('\n'), maxFailureLength);
}

const maxFailureLength = 8000;
