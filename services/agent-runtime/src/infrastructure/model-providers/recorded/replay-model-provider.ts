import { setTimeout as delay } from 'node:timers/promises';
import type { Message } from '../../../domain/message/message.ts';
import { modelRejected, streamIncomplete } from '../../../domain/model/model-errors.ts';
import type { ModelPart } from '../../../domain/model/model-part.ts';
import type { ModelCapabilities, ModelProvider } from '../../../domain/model/model-provider.ts';
import type { ModelRequest } from '../../../domain/model/model-request.ts';
import { modelCapabilities } from '../wire/model-capabilities.ts';
import { errorOf, type Recording } from './recording.ts';

export interface ReplayOptions {
  /** Default `replay`. */
  readonly id?: string;
  readonly recordings: readonly Recording[];
  /** True: as fast as it was recorded. False: as fast as it goes. */
  readonly isTimed: boolean;
}

/**
 * Plays recorded answers. The answer to a request is the recorded one to the same dialogue: the same words of the user and
 * the model and the same calls. What tools answered and what the instructions say may differ, because they have times and
 * ids in them. When a dialogue was recorded more than once, the answers are played in turn, and the last one stays.
 */
export class ReplayModelProvider implements ModelProvider {
  readonly id: string;
  readonly #isTimed: boolean;
  readonly #recordings: ReadonlyMap<string, Recording[]>;

  constructor({ id = 'replay', recordings, isTimed }: ReplayOptions) {
    this.id = id;
    this.#isTimed = isTimed;
    this.#recordings = Map.groupBy(recordings, ({ head }) => dialogueOf(head.request.messages));
  }

  /** Those of the model that was recorded, as far as they are known. */
  capabilities(model: string): ModelCapabilities {
    return modelCapabilities(model);
  }

  async *stream(request: ModelRequest, { signal }: { readonly signal: AbortSignal }): AsyncGenerator<ModelPart, void> {
    signal.throwIfAborted();
    const beganMs = performance.now();
    let isFinished = false;
    for (const step of this.#take(request).steps) {
      if (this.#isTimed) {
        await until(beganMs + step.ms, signal);
      }
      signal.throwIfAborted();
      if ('failed' in step) {
        throw errorOf(step.failed);
      }
      isFinished ||= step.part.type === 'finish';
      yield step.part;
    }
    if (!isFinished) {
      throw streamIncomplete('the recording ended without a stop reason');
    }
  }

  #take({ messages }: ModelRequest): Recording {
    const same = this.#recordings.get(dialogueOf(messages)) ?? [];
    const recording = same.length > 1 ? same.shift() : same[0];
    if (recording === undefined) {
      throw modelRejected(`nothing was recorded for this dialogue of ${messages.length} messages.`);
    }
    return recording;
  }
}

async function until(timeMs: number, signal: AbortSignal): Promise<void> {
  const leftMs = timeMs - performance.now();
  if (leftMs < 1) {
    return;
  }
  await delay(leftMs, undefined, { signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw error;
  });
}

/** What is the same each time that a dialogue is led. */
function dialogueOf(messages: readonly Message[]): string {
  const said = messages.map(({ role, parts }) => [
    role,
    parts.flatMap(({ part }) => {
      switch (part.case) {
        case 'text':
          return [part.value.text];
        case 'toolCall':
          return [part.value.tool, part.value.argumentsJson];
        default:
          return [];
      }
    }),
  ]);
  return JSON.stringify(said);
}
