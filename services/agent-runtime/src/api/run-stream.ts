import { ConnectError } from '@connectrpc/connect';
import type { RunRequest, RunResponse } from '@spanwise/contracts/spanwise/runtime/v1/runtime';
import { DomainError } from '@spanwise/kernel';
import type { HeldRuns } from '../application/held-runs.ts';
import type { RunAgent } from '../application/run-agent.ts';
import { untilAborted } from '../application/until-aborted.ts';
import type { Identity } from '../domain/run/run-dispatch.ts';
import { runCancelled } from '../domain/run/run-errors.ts';
import { finishResponse } from './finish-frame.ts';
import { FrameQueue } from './frame-queue.ts';
import { RunStreamJournal } from './run-stream-journal.ts';
import { invalidFrame, runDispatch } from './start-frame.ts';
import { StreamedContext } from './streamed-context.ts';

export interface RunStreamDeps {
  readonly runAgent: RunAgent;
  readonly heldRuns: HeldRuns;
}

/**
 * One Run stream. The driver's frames are read while the run is worked on; what the run says goes out in batches. The end
 * of the driver's side, an abort and a cancel stop the work, which then closes what is open and sends its last frame; a
 * stream that is gone, or a server that shuts down (`signal`), stops it too, and nobody hears of it.
 */
export async function* runStream(
  { runAgent, heldRuns }: RunStreamDeps,
  requests: AsyncIterable<RunRequest>,
  identity: Identity,
  signal: AbortSignal,
): AsyncGenerator<RunResponse, void> {
  const gone = new AbortController();
  const stop = new AbortController();
  const leave = () => {
    gone.abort(reasonOf(signal));
    stop.abort(runCancelled('its driver is gone'));
  };
  signal.addEventListener('abort', leave, { once: true });
  if (signal.aborted) {
    leave();
  }
  const frames = requests[Symbol.asyncIterator]();
  try {
    const first = await untilAborted(frames.next(), gone.signal);
    if (first.done === true) {
      throw invalidFrame('start', 'is missing');
    }
    const dispatch = runDispatch(first.value, identity);
    using _held = heldRuns.hold(dispatch.runId, stop);
    const queue = new FrameQueue();
    const journal = new RunStreamJournal(queue);
    const context = new StreamedContext();
    const reading = readFrames(frames, { journal, context, stop });
    const working = runAgent.execute(dispatch, { context, journal }, stop.signal).then(
      (outcome) => {
        queue.frame(finishResponse(outcome));
        queue.end();
      },
      (error: unknown) => queue.end(error),
    );
    try {
      yield* queue.frames(gone.signal);
    } finally {
      stop.abort(runCancelled('its driver is gone'));
      await Promise.all([working, reading]);
    }
  } finally {
    signal.removeEventListener('abort', leave);
  }
}

interface FrameReaders {
  readonly journal: RunStreamJournal;
  readonly context: StreamedContext;
  readonly stop: AbortController;
}

/** Reads the driver's frames until the work is stopped; whatever is wrong with them stops it. */
async function readFrames(frames: AsyncIterator<RunRequest>, readers: FrameReaders): Promise<void> {
  const { stop } = readers;
  try {
    for (;;) {
      const next = await untilAborted(frames.next(), stop.signal);
      if (next.done === true) {
        throw runCancelled('its driver ended the stream');
      }
      take(next.value, readers);
    }
  } catch (error) {
    stop.abort(error instanceof DomainError ? error : runCancelled('its driver is gone'));
  }
}

function take({ frame }: RunRequest, { journal, context }: FrameReaders): void {
  switch (frame.case) {
    case 'history':
      return context.add(frame.value);
    case 'ack':
      return journal.acknowledge(frame.value);
    case 'abort':
      throw runCancelled('its driver aborted it');
    default:
      throw invalidFrame(frame.case ?? 'empty', 'is not expected here');
  }
}

/** A shutting down server says so; whatever else ends a stream is its client's doing. */
function reasonOf({ reason }: AbortSignal): ConnectError | DomainError {
  return reason instanceof ConnectError ? reason : runCancelled('its driver is gone');
}
