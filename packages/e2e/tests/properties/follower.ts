import { SpanwiseClient, SpanwiseError } from '@spanwise/client';
import type { AgentEvent } from '@spanwise/contracts/spanwise/event/v1/event';
import { type Run, RunStatus } from '@spanwise/contracts/spanwise/session/v1/session';
import { soon } from './soon.ts';

/** What a follower asks for. */
export interface FollowRequest {
  readonly sessionId: string;
  readonly afterSeq: bigint;
  readonly live: boolean;
  /** Attaches to the run of this request; otherwise the session is watched. */
  readonly run?: { readonly id: string; readonly requestId: string; readonly input: string };
}

/** One watcher over all breaks: by hand, stream by stream, or with the SDK. */
export interface Follower {
  readonly request: FollowRequest;
  /** Whether texts are told once, as the SDK does, instead of as they are on the wire. */
  readonly isExact: boolean;
  readonly events: readonly AgentEvent[];
  /** Why the service refused to go on; undefined while it did not. */
  readonly refusal: string | undefined;
  readonly isEnded: boolean;
  leave(): Promise<void>;
}

const messageOf = (text: string) => ({ parts: [{ part: { case: 'text' as const, value: text } }] });

/** Follows on the wire: opens the stream again at the last seq, whatever ended it. */
export function followByHand(baseUrl: string, request: FollowRequest): Follower {
  const events: AgentEvent[] = [];
  const left = new AbortController();
  const state: { refusal?: string; isEnded: boolean } = { isEnded: false };
  const { sessions } = new SpanwiseClient({ baseUrl, uid: 'alice' });
  const { sessionId, live, run } = request;
  const open = (afterSeq: bigint) => {
    const options = { signal: left.signal };
    return run === undefined
      ? sessions.watchSession({ sessionId, afterSeq, live }, options)
      : sessions.runSession(
          { sessionId, afterSeq, live, requestId: run.requestId, input: [messageOf(run.input)] },
          options,
        );
  };
  const isDone = (event: AgentEvent | undefined) =>
    run !== undefined && ['runEnd', 'runError', 'runWaiting'].includes(event?.data.case ?? '');
  const reading = (async () => {
    while (!left.signal.aborted && !state.isEnded) {
      const afterSeq = events.findLast(({ seq }) => seq > 0n)?.seq ?? request.afterSeq;
      try {
        const before = events.length;
        let known: Run | undefined;
        for await (const message of open(afterSeq)) {
          events.push(...message.events);
          known = ('run' in message ? message.run : undefined) ?? known;
        }
        state.isEnded ||= isDone(events.at(-1)) || (events.length === before && hasNothingToTell(known, afterSeq));
      } catch (error) {
        const failure = SpanwiseError.from(error);
        if (!failure.isBreak) {
          state.refusal = failure.reason;
          state.isEnded = true;
        }
      }
      await soon();
    }
  })();
  return followerOf(request, false, events, state, left, reading);
}

/** A run that waits, or that is over and of which the cursor leaves nothing to tell. */
function hasNothingToTell(run: Run | undefined, afterSeq: bigint): boolean {
  if (run === undefined) {
    return false;
  }
  const isDequeued = run.status === RunStatus.CANCELLED && run.terminalSeq === 0n;
  return isDequeued || run.status === RunStatus.WAITING || (run.terminalSeq > 0n && afterSeq >= run.terminalSeq);
}

/** Follows with the SDK. */
export function followWithSdk(baseUrl: string, request: FollowRequest): Follower {
  const events: AgentEvent[] = [];
  const left = new AbortController();
  const state: { refusal?: string; isEnded: boolean } = { isEnded: false };
  const client = new SpanwiseClient({ baseUrl, uid: 'alice' });
  const { sessionId, afterSeq, live, run } = request;
  const stream =
    run === undefined
      ? client.watch({ sessionId, afterSeq, live }, { signal: left.signal })
      : client.run({ sessionId, afterSeq, live, requestId: run.requestId, input: run.input }, { signal: left.signal });
  const reading = (async () => {
    try {
      for await (const event of stream) {
        events.push(event);
      }
    } catch (error) {
      state.refusal = SpanwiseError.from(error).reason;
    }
    state.isEnded = true;
  })();
  return followerOf(request, true, events, state, left, reading);
}

function followerOf(
  request: FollowRequest,
  isExact: boolean,
  events: readonly AgentEvent[],
  state: { readonly refusal?: string; readonly isEnded: boolean },
  left: AbortController,
  reading: Promise<void>,
): Follower {
  return {
    request,
    isExact,
    events,
    get refusal() {
      return state.refusal;
    },
    get isEnded() {
      return state.isEnded;
    },
    async leave() {
      left.abort();
      await reading;
    },
  };
}
