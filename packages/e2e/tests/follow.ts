import type { RunRequest, SpanwiseClient } from '@spanwise/client';
import type { AgentEvent } from '@spanwise/contracts/spanwise/event/v1/event';
import type { Run } from '@spanwise/contracts/spanwise/session/v1/session';

/** A run that is watched in the background. */
export interface FollowedRun {
  readonly run: Promise<Run>;
  readonly events: AgentEvent[];
  /** Resolves when the terminal event was told. */
  readonly done: Promise<void>;
  /** Resolves as soon as an event of this kind was told. */
  saw(kind: AgentEvent['data']['case']): Promise<void>;
}

/** Starts a run and collects its events. `more` is what else is asked for, or its request id. */
export function follow(
  client: SpanwiseClient,
  sessionId: string,
  input: string,
  more: string | Pick<RunRequest, 'requestId' | 'options' | 'afterSeq'> = {},
): FollowedRun {
  const events: AgentEvent[] = [];
  const waiting: { kind: AgentEvent['data']['case']; resolve: () => void }[] = [];
  const { promise: run, resolve: onRun } = Promise.withResolvers<Run>();
  const request = { sessionId, input, onRun, ...(typeof more === 'string' ? { requestId: more } : more) };
  const done = (async () => {
    for await (const event of client.run(request)) {
      events.push(event);
      waiting.filter(({ kind }) => kind === event.data.case).forEach(({ resolve }) => resolve());
    }
  })();
  const saw = (kind: AgentEvent['data']['case']) => {
    if (events.some(({ data }) => data.case === kind)) {
      return Promise.resolve();
    }
    return new Promise<void>((resolve) => waiting.push({ kind, resolve }));
  };
  return { run, events, done, saw };
}

/** What a person would have read: the text of all answer blocks whose message was completed, of the main dialogue. */
export function answerText(events: readonly AgentEvent[]): string {
  const complete = new Set(events.flatMap(({ data }) => (data.case === 'message' ? [data.value.messageId] : [])));
  const messages = new Map<string, string>();
  let text = '';
  for (const { data, threadId } of events) {
    if (data.case === 'textStart' && threadId === '') {
      messages.set(data.value.blockId, data.value.messageId);
    } else if (data.case === 'textDelta' && complete.has(messages.get(data.value.blockId) ?? '')) {
      text += data.value.text;
    }
  }
  return text;
}

/** Seqs of the durable events. */
export function seqs(events: readonly AgentEvent[]): readonly number[] {
  return events.map(({ seq }) => Number(seq)).filter((seq) => seq > 0);
}

/** Names of the kinds of events, without deltas. */
export function kinds(events: readonly AgentEvent[]): readonly string[] {
  return events.map(({ data }) => data.case ?? '').filter((kind) => !kind.endsWith('Delta'));
}
