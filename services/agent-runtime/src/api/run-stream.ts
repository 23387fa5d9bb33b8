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
  const frames = requests[Symbol.asyncIterator]();
  const dispatch = runDispatch(await firstFrame(frames, signal), identity);
  const stop = new AbortController();
  // At once, not when the next frame can be sent: the driver may have stopped reading long before it went.
  const leave = () => stop.abort(runCancelled('its driver is gone'));
  signal.addEventListener('abort', leave, { once: true });
  using _held = heldRuns.hold(dispatch.runId, stop);
  const queue = new FrameQueue();
  const journal = new RunStreamJournal(queue);
  const context = new StreamedContext();
  const over = new AbortController();
  const reading = readFrames(frames, { journal, context, stop }, over.signal);
  const working = runAgent.execute(dispatch, { context, journal }, stop.signal).then(
    (outcome) => {
      queue.frame(finishResponse(outcome));
      queue.end();
    },
    (error: unknown) => queue.end(error),
  );
  let isFinished = false;
  try {
    yield* queue.frames(signal);
    isFinished = true;
  } catch (error) {
    throw signal.aborted ? goneReason(signal) : error;
  } finally {
    signal.removeEventListener('abort', leave);
    if (!isFinished) {
      leave();
    }
    over.abort('over');
    await Promise.all([working, reading]);
  }
}

async function firstFrame(frames: AsyncIterator<RunRequest>, signal: AbortSignal): Promise<RunRequest> {
  const first = await untilAborted(frames.next(), signal).catch((error: unknown) => {
    throw signal.aborted ? goneReason(signal) : error;
  });
  if (first.done === true) {
    throw invalidFrame('start', 'is missing');
  }
  return first.value;
}

interface FrameReaders {
  readonly journal: RunStreamJournal;
  readonly context: StreamedContext;
  readonly stop: AbortController;
}

/** Reads the driver's frames until all is over; whatever is wrong with them stops the work. */
async function readFrames(frames: AsyncIterator<RunRequest>, readers: FrameReaders, over: AbortSignal): Promise<void> {
  const { stop } = readers;
  try {
    for (;;) {
      const next = await untilAborted(frames.next(), over);
      if (next.done === true) {
        throw runCancelled('its driver ended the stream');
      }
      take(next.value, readers);
    }
  } catch (error) {
    if (!over.aborted) {
      stop.abort(error instanceof DomainError ? error : runCancelled('its driver is gone'));
    }
  }
}

function take({ frame }: RunRequest, { journal, context, stop }: FrameReaders): void {
  switch (frame.case) {
    case 'history':
      return context.add(frame.value);
    case 'ack':
      return journal.acknowledge(frame.value);
    case 'abort':
      return stop.abort(runCancelled('its driver aborted it'));
    default:
      throw invalidFrame(frame.case ?? 'empty', 'is not expected here');
  }
}

/** A server that shuts down says so; whatever else ends a stream is its client's doing. */
function goneReason({ reason }: AbortSignal): ConnectError | DomainError {
  return reason instanceof ConnectError ? reason : runCancelled('its driver is gone');
}
