import { timestampMs } from '@bufbuild/protobuf/wkt';
import { SpanStatus } from '@spanwise/contracts/spanwise/event/v1/event';
import type { Span } from '@spanwise/contracts/spanwise/session/v1/session';

/** The spans of a run as an indented tree, each with its service and duration. */
export function spanTree(spans: readonly Span[]): string {
  const children = Map.groupBy(spans, ({ span }) => span?.par ?? '');
  const lines: string[] = [];
  const add = (parent: string, depth: number) => {
    for (const span of children.get(parent) ?? []) {
      lines.push(lineOf(span, depth));
      add(span.span?.id ?? '', depth + 1);
    }
  };
  add('', 0);
  return lines.join('\n');
}

function lineOf(span: Span, depth: number): string {
  const label = `${'  '.repeat(depth)}${span.name}`;
  const mark = span.status === SpanStatus.OK ? '' : ` (${nameOf(span.status)})`;
  return `${label.padEnd(44)} ${duration(span).padStart(9)}  ${span.service}${mark}`;
}

function nameOf(status: SpanStatus): string {
  const [name = 'open'] = Object.entries(SpanStatus).find(([, number]) => number === status) ?? [];
  return status === SpanStatus.UNSPECIFIED ? 'open' : name.toLowerCase();
}

function duration({ startTime, endTime }: Span): string {
  if (startTime === undefined || endTime === undefined) {
    return '';
  }
  return `${(timestampMs(endTime) - timestampMs(startTime)).toFixed(0)} ms`;
}
