import type { ExecSpanContext } from '@spanwise/kernel';

const pattern = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** W3C `traceparent` header whose parent is the given span. */
export function formatTraceparent({ span, traceId, traceFlags }: ExecSpanContext): string {
  return `00-${traceId}-${span.id}-${traceFlags.toString(16).padStart(2, '0')}`;
}

/** Reads a W3C `traceparent` header; undefined when it is missing or not one. The parent's own parent is not known: ''. */
export function parseTraceparent(header: string | null | undefined): ExecSpanContext | undefined {
  const [, traceId, id, flags] = pattern.exec(header ?? '') ?? [];
  if (traceId === undefined || id === undefined || flags === undefined || /^0+$/.test(traceId) || /^0+$/.test(id)) {
    return undefined;
  }
  return { span: { id, par: '' }, traceId, traceFlags: Number.parseInt(flags, 16) };
}
