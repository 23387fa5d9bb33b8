import type { AgentEvent } from '@spanwise/contracts/spanwise/event/v1/event';
import type { RunResponse } from '@spanwise/contracts/spanwise/runtime/v1/runtime';
import { untilAborted } from '../application/until-aborted.ts';

/** Events of one frame at most. */
const maxEvents = 512;
/** Unsent events from which on whoever can wait is asked to. */
const fullEvents = 1024;

/**
 * What goes up a Run stream, in order. Events are sent in batches: whatever was said by the time the stream is free is one
 * frame, a single event when little is said, hundreds under load, at 3 µs an event instead of 15.
 */
export class FrameQueue {
  #events: AgentEvent[] = [];
  readonly #frames: RunResponse[] = [];
  #end: { readonly error?: unknown } | undefined;
  #room: PromiseWithResolvers<void> | undefined;
  #wake: (() => void) | undefined;
  #isWaking = false;

  /** Adds an event; sent with all others of this turn of the event loop. */
  event(event: AgentEvent): void {
    if (this.#end !== undefined) {
      return;
    }
    this.#events.push(event);
    if (this.#wake !== undefined && !this.#isWaking) {
      this.#isWaking = true;
      setImmediate(() => {
        this.#isWaking = false;
        this.#wake?.();
      });
    }
  }

  /** Adds a frame behind all events so far; sent at once. */
  frame(frame: RunResponse): void {
    if (this.#end === undefined) {
      while (this.#events.length > 0) {
        this.#frames.push(this.#eventsFrame());
      }
      this.#frames.push(frame);
      this.#wake?.();
    }
  }

  /** Nothing more comes: the stream ends, or fails with the error, once all is sent. */
  end(error?: unknown): void {
    this.#end ??= error === undefined ? {} : { error };
    this.#wake?.();
  }

  /** Undefined while there is room; otherwise resolves when the driver has taken what is waiting. */
  room(): Promise<void> | undefined {
    if (this.#events.length < fullEvents || this.#end !== undefined) {
      return undefined;
    }
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  /** All frames, until the end or until the signal is aborted (throws its reason). Read once. */
  async *frames(signal: AbortSignal): AsyncGenerator<RunResponse, void> {
    try {
      for (;;) {
        const next = this.#frames.shift() ?? (this.#events.length > 0 ? this.#eventsFrame() : undefined);
        if (next !== undefined) {
          yield next;
        } else if (this.#end !== undefined) {
          break;
        } else {
          await untilAborted(this.#more(), signal);
        }
      }
      if ('error' in this.#end) {
        throw this.#end.error;
      }
    } finally {
      this.end();
      this.#events = [];
      this.#room?.resolve();
    }
  }

  #more(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = () => {
      this.#wake = undefined;
      resolve();
    };
    return promise;
  }

  #eventsFrame(): RunResponse {
    const events = this.#events.length <= maxEvents ? this.#events : this.#events.slice(0, maxEvents);
    this.#events = this.#events.length <= maxEvents ? [] : this.#events.slice(maxEvents);
    if (this.#events.length < fullEvents) {
      this.#room?.resolve();
      this.#room = undefined;
    }
    return eventsResponse(events);
  }
}

function eventsResponse(events: AgentEvent[]): RunResponse {
  return {
    $typeName: 'spanwise.runtime.v1.RunResponse',
    frame: { case: 'events', value: { $typeName: 'spanwise.runtime.v1.EventsFrame', events } },
  };
}
