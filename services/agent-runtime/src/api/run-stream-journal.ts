import { create } from '@bufbuild/protobuf';
import {
  type AckFrame,
  CheckpointFrameSchema,
  RunResponseSchema,
} from '@spanwise/contracts/spanwise/runtime/v1/runtime';
import type { RunEvent } from '../domain/run/run-event.ts';
import type { Checkpoint, CheckpointAck, RunJournal } from '../domain/run/run-journal.ts';
import { agentEvent } from './agent-event.ts';
import { contextRow } from './context-row.ts';
import type { FrameQueue } from './frame-queue.ts';
import { encodeRunSpec } from './run-spec.ts';
import { invalidFrame } from './start-frame.ts';

/** The journal of a run, kept by the driver at the other end of its stream. */
export class RunStreamJournal implements RunJournal {
  readonly #queue: FrameQueue;
  readonly #open = new Map<bigint, (ack: CheckpointAck) => void>();
  #index = 0n;

  constructor(queue: FrameQueue) {
    this.#queue = queue;
  }

  emit(event: RunEvent): void {
    this.#queue.event(agentEvent(event));
  }

  checkpoint({ events, messages, threadId, spec }: Checkpoint): Promise<CheckpointAck> {
    this.#index += 1n;
    const value = create(CheckpointFrameSchema, {
      index: this.#index,
      events: events.map(agentEvent),
      contextRows: messages.map((message) => contextRow(message, threadId)),
      ...(spec === undefined ? {} : { spec: encodeRunSpec(spec) }),
    });
    const { promise, resolve } = Promise.withResolvers<CheckpointAck>();
    this.#open.set(this.#index, resolve);
    this.#queue.frame(create(RunResponseSchema, { frame: { case: 'checkpoint', value } }));
    return promise;
  }

  room(): Promise<void> | undefined {
    return this.#queue.room();
  }

  /** The driver has committed a checkpoint. Throws INVALID_FIELD when none of that index is open. */
  acknowledge({ index, cancelRequested }: AckFrame): void {
    const resolve = this.#open.get(index);
    if (resolve === undefined) {
      throw invalidFrame('ack', `names checkpoint ${index}, which is not open`);
    }
    this.#open.delete(index);
    resolve({ cancelRequested });
  }
}
