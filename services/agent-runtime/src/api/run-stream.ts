import { durationMs } from '@bufbuild/protobuf/wkt';
import { ConnectError } from '@connectrpc/connect';
import type { RunRequest, RunResponse } from '@spanwise/contracts/spanwise/runtime/v1/runtime';
import { DomainError } from '@spanwise/kernel';
import type { HeldRuns } from '../application/held-runs.ts';
import { Leave } from '../application/leave.ts';
import type { Timers } from '../application/ports/timers.ts';
import type { RunAgent } from '../application/run-agent.ts';
import { untilAborted } from '../application/until-aborted.ts';
import type { Identity } from '../domain/run/run-dispatch.ts';
import { runCancelled } from '../domain/run/run-errors.ts';
import { FrameQueue } from './frame-queue.ts';
import { lastResponse } from './last-frame.ts';
import { RunStreamJournal } from './run-stream-journal.ts';
import { invalidFrame, runDispatch } from './start-frame.ts';
import { StreamedContext } from './streamed-context.ts';

export interface RunStreamDeps {
  readonly runAgent: RunAgent;
  readonly heldRuns: HeldRuns;
  readonly timers: Timers;
}

/**
 * One Run stream. The driver's frames are read while the run is worked on; what the run says goes out in batches. The end
 * of the driver's side, an abort and a cancel stop the work, which then closes what is open and sends its last frame; a
 * stream that is gone, or a server that ends it (`signal`), stops it too, and nobody hears of it. A detach, and a service
 * that shuts down, ask the work to leave: its last frame then says that the run goes on elsewhere.
 */
export async function* runStream(
  { runAgent, heldRuns, timers }: RunStreamDeps,
  requests: AsyncIterable<RunRequest>,
  identity: Identity,
  signal: AbortSignal,
): AsyncGenerator<RunResponse, void> {
  const frames = requests[Symbol.asyncIterator]();
  const dispatch = runDispatch(await firstFrame(frames, signal), identity);
  const stop = new AbortController();
  // At once, not when the next frame can be sent: the driver may have stopped reading long before it went.
  const letGo = () => stop.abort(runCancelled('its driver is gone'));
  signal.addEventListener('abort', letGo, { once: true });
  using leave = new Leave(timers);
  using _held = heldRuns.hold(dispatch.runId, { stop, leave });
  const queue = new FrameQueue();
  const journal = new RunStreamJournal(queue);
  const context = new StreamedContext();
  const over = new AbortController();
  const reading = readFrames(frames, { journal, context, stop, leave }, over.signal);
  const working = runAgent
    .execute(dispatch, { context, journal }, { signal: stop.signal, leave })
    .then((outcome) => {
      queue.frame(lastResponse(outcome));
      queue.end();
    })
    .catch((error: unknown) => queue.end(error));
  let isFinished = false;
  try {
    yield* queue.frames(signal);
    isFinished = true;
  } catch (error) {
    throw signal.aborted ? goneReason(signal) : error;
  } finally {
    signal.removeEventListener('abort', letGo);
    if (!isFinished) {
      letGo();
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
  readonly leave: Leave;
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

function take({ frame }: RunRequest, { journal, context, stop, leave }: FrameReaders): void {
  switch (frame.case) {
    case 'history':
      return context.add(frame.value);
    case 'ack':
      return journal.acknowledge(frame.value);
    case 'abort':
      return stop.abort(runCancelled('its driver aborted it'));
    case 'detach':
      return leave.ask(frame.value.grace === undefined ? 0 : durationMs(frame.value.grace));
    default:
      throw invalidFrame(frame.case ?? 'empty', 'is not expected here');
  }
}

/** A server that shuts down says so; whatever else ends a stream is its client's doing. */
function goneReason({ reason }: AbortSignal): ConnectError | DomainError {
  return reason instanceof ConnectError ? reason : runCancelled('its driver is gone');
}
