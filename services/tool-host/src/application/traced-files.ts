import { DomainError, type ExecSpanContext, type SpanEnd } from '@spanwise/kernel';
import type { Files } from '@spanwise/tool-kit/contract';
import type { CallSpans } from './ports/call-spans.ts';
import type { FileCall, RunFiles } from './ports/run-files.ts';

/**
 * The files of one call, as its tool sees them: each operation is a span, and none begins once the call is over. A change
 * has the key of the call and its number among the changes, so that a call that is executed again changes nothing twice.
 */
export function tracedFiles(runFiles: RunFiles, call: Omit<FileCall, 'span'>, spans: CallSpans): Files {
  let changes = 0;

  function changed<Result>(name: string, path: string, operate: (files: Files) => Promise<Result>): Promise<Result> {
    changes += 1;
    return traced(name, path, operate, `${call.idempotencyKey}:${changes}`);
  }

  function traced<Result>(
    name: string,
    path: string,
    operate: (files: Files) => Promise<Result>,
    idempotencyKey = '',
  ): Promise<Result> {
    const running = operateUnderSpan(name, path, (span) => operate(runFiles.bind({ ...call, span, idempotencyKey })));
    // A tool that forgets one of its operations must not end the process when that fails.
    running.catch(() => undefined);
    return running;
  }

  async function operateUnderSpan<Result>(
    name: string,
    path: string,
    operate: (span: ExecSpanContext) => Promise<Result>,
  ) {
    call.signal.throwIfAborted();
    const span = spans.startFile(name, path);
    try {
      const result = await operate(span.context);
      span.end({ status: 'ok' });
      return result;
    } catch (error) {
      span.end(endOf(error, call.signal));
      throw error;
    }
  }

  return {
    mounts: () => traced('describe view', '/', (files) => files.mounts()),
    stat: (path) => traced('stat file', path, (files) => files.stat(path)),
    list: (path, page) => traced('list directory', path, (files) => files.list(path, page)),
    read: (path, range) => traced('read file', path, (files) => files.read(path, range)),
    write: (path, data, guard) => changed('write file', path, (files) => files.write(path, data, guard)),
    edit: (path, edit) => changed('edit file', path, (files) => files.edit(path, edit)),
    makeDirectory: (path) => changed('make directory', path, (files) => files.makeDirectory(path)),
    delete: (path, options) => changed('delete file', path, (files) => files.delete(path, options)),
    move: (fromPath, toPath) => changed('move file', fromPath, (files) => files.move(fromPath, toPath)),
    glob: (query) => traced('glob files', query.path, (files) => files.glob(query)),
    async *grep(query) {
      call.signal.throwIfAborted();
      const span = spans.startFile('grep files', query.path);
      let end: SpanEnd = { status: 'ok' };
      try {
        yield* runFiles.bind({ ...call, span: span.context, idempotencyKey: '' }).grep(query);
      } catch (error) {
        end = endOf(error, call.signal);
        throw error;
      } finally {
        span.end(end);
      }
    },
  };
}

function endOf(error: unknown, signal: AbortSignal): SpanEnd {
  if (signal.aborted) {
    return { status: 'cancelled' };
  }
  return { status: 'error', errorType: error instanceof DomainError ? error.reason : 'INTERNAL' };
}
