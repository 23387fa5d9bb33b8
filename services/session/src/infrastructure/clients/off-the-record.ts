import type { ExecSpanContext, IdGenerator } from '@spanwise/kernel';

/** Where calls happen that belong to no run and shall leave no trace: they are made every few seconds. */
export function offTheRecord(ids: IdGenerator): ExecSpanContext {
  return { span: { id: ids.spanId(), par: '' }, traceId: ids.traceId(), traceFlags: 0 };
}
