import type { Message } from '../../src/domain/message/message.ts';
import type { RunEvent, RunEventData } from '../../src/domain/run/run-event.ts';
import type { Checkpoint, CheckpointAck, RunJournal } from '../../src/domain/run/run-journal.ts';

/** Answers the checkpoint of that index, from 1. */
export type Acknowledge = (index: number) => CheckpointAck | Promise<CheckpointAck>;

type DataOf<Case extends RunEventData['case']> = Extract<RunEventData, { readonly case: Case }>['value'];

/** The driver's end of a run, in memory: it commits in order and acknowledges as it is told. */
export class MemoryJournal implements RunJournal {
  /** Everything that was said, in order, whether alone or with a checkpoint. */
  readonly events: RunEvent[] = [];
  readonly checkpoints: Checkpoint[] = [];
  /** Called in the middle of saying it, with how much was said. */
  onSaid: (count: number) => void = () => undefined;
  /** True once its driver is lost: nothing more is taken. */
  isGone = false;
  readonly #acknowledge: Acknowledge;
  #watchers: { readonly matches: () => boolean; readonly resolve: () => void }[] = [];

  constructor(acknowledge: Acknowledge = () => ({ cancelRequested: false })) {
    this.#acknowledge = acknowledge;
  }

  /** Messages of the main dialogue, in order. */
  get messages(): readonly Message[] {
    return this.thread('');
  }

  /** Messages of the dialogue of a delegate call, in order. */
  thread(threadId: string): readonly Message[] {
    return this.checkpoints.flatMap((each) => ((each.threadId ?? '') === threadId ? each.messages : []));
  }

  /** Names of what was said, in order. */
  get cases(): readonly RunEventData['case'][] {
    return this.events.map(({ data }) => data.case);
  }

  /** All of one kind, in order. */
  said<Case extends RunEventData['case']>(name: Case): readonly DataOf<Case>[] {
    const values: readonly unknown[] = this.events
      .filter(({ data }) => data.case === name)
      .map(({ data }) => data.value);
    return values as readonly DataOf<Case>[];
  }

  /** Resolves as soon as this many events of a kind were said. */
  until(name: RunEventData['case'], count = 1): Promise<void> {
    return this.#when(() => this.said(name).length >= count);
  }

  /** Resolves as soon as this many checkpoints were sent. */
  untilCheckpoint(count: number): Promise<void> {
    return this.#when(() => this.checkpoints.length >= count);
  }

  emit(event: RunEvent): void {
    if (this.isGone) {
      return;
    }
    this.events.push(event);
    this.#look();
  }

  async checkpoint(checkpoint: Checkpoint): Promise<CheckpointAck> {
    if (this.isGone) {
      return new Promise(() => undefined);
    }
    this.events.push(...checkpoint.events);
    this.checkpoints.push(checkpoint);
    this.#look();
    return this.#acknowledge(this.checkpoints.length);
  }

  room(): undefined {
    return undefined;
  }

  #when(matches: () => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (matches()) {
      resolve();
    } else {
      this.#watchers.push({ matches, resolve });
    }
    return promise;
  }

  #look(): void {
    this.onSaid(this.events.length);
    const [due, waiting] = [
      this.#watchers.filter(({ matches }) => matches()),
      this.#watchers.filter(({ matches }) => !matches()),
    ];
    this.#watchers = waiting;
    due.forEach(({ resolve }) => resolve());
  }
}
