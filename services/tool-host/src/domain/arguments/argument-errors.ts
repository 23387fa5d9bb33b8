import { DomainError } from '@spanwise/kernel';
import { type ArgumentIssue, formatPath } from '@spanwise/tool-kit/contract';
import type { JsonFault } from './json-scanner.ts';

/** An issue, and where in the text of the arguments it is. */
export interface LocatedIssue extends ArgumentIssue {
  /** UTF-16 code units from the start of the text. */
  readonly position: number;
}

/** More than this many issues help nobody. */
const maxIssues = 10;
/** Code units of the text that are quoted around a fault. */
const quotedBefore = 24;

/** The arguments break the tool's schema. The model corrects what is listed. */
export function argumentsInvalid(tool: string, issues: readonly LocatedIssue[]): DomainError {
  const lines = issues.slice(0, maxIssues).map(({ path, position, problem }) => {
    const name = path.length === 0 ? 'the arguments' : formatPath(path);
    return `- ${name} (position ${position}): ${problem}`;
  });
  const rest = issues.length > maxIssues ? [`- and ${issues.length - maxIssues} more`] : [];
  const text = [`The arguments of ${tool} are not valid:`, ...lines, ...rest, 'Correct them and call it again.'];
  return new DomainError('invalid', 'INVALID_FIELD', text.join('\n'), {
    violations: issues.slice(0, maxIssues).map(({ path, problem }) => ({
      field: formatPath(path),
      description: problem,
    })),
  });
}

/** The arguments are not JSON, or nested too deep. They are never repaired: the model sends them anew. */
export function argumentsNotJson(text: string, { kind, position, problem }: JsonFault): DomainError {
  const quoted = JSON.stringify(text.slice(Math.max(0, position - quotedBefore), position));
  const place = `at position ${position}${position === 0 ? '' : `, after ${quoted}`}`;
  const said =
    kind === 'cut'
      ? `The arguments are cut off ${place}: ${problem}. Nothing was done. Send them complete, or do less in one call.`
      : `The arguments are not usable JSON ${place}: ${problem}. Send one JSON object.`;
  return new DomainError('invalid', 'INVALID_FIELD', said, { facts: { position } });
}

/** The arguments are longer than a call may be. The model does less in one call. */
export function argumentsTooLong(bytes: number, maxBytes: number): DomainError {
  const text = `The arguments have ${bytes} bytes; at most ${maxBytes} are allowed. Do less in one call.`;
  return new DomainError('exhausted', 'INVALID_FIELD', text, { facts: { limit_bytes: maxBytes } });
}
