import { type Clock, DomainError } from '@spanwise/kernel';
import type { ModelPart } from '../../../domain/model/model-part.ts';
import type { ModelCapabilities, ModelProvider } from '../../../domain/model/model-provider.ts';
import type { ModelRequest } from '../../../domain/model/model-request.ts';
import { failureOf, type RecordedStep, type Recording } from './recording.ts';

export interface RecordingDeps {
  readonly provider: ModelProvider;
  readonly clock: Clock;
  /** Keeps a recording. What it fails with is its own affair: an answer never depends on it. */
  readonly keep: (recording: Recording) => Promise<void>;
}

/** Answers as the provider does, and keeps what was asked and answered, each part with its time. */
export class RecordingModelProvider implements ModelProvider {
  readonly id: string;
  readonly #deps: RecordingDeps;

  constructor(deps: RecordingDeps) {
    this.id = deps.provider.id;
    this.#deps = deps;
  }

  capabilities(model: string): ModelCapabilities {
    return this.#deps.provider.capabilities(model);
  }

  async *stream(request: ModelRequest, options: { readonly signal: AbortSignal }): AsyncGenerator<ModelPart, void> {
    const { provider, clock, keep } = this.#deps;
    const head = { version: 1, provider: this.id, askedAtMs: clock.nowMs(), request } as const;
    const beganMs = clock.monotonicMs();
    const steps: RecordedStep[] = [];
    const now = () => Math.round(clock.monotonicMs() - beganMs);
    try {
      for await (const part of provider.stream(request, options)) {
        steps.push({ ms: now(), part });
        yield part;
      }
    } catch (error) {
      if (error instanceof DomainError && !options.signal.aborted) {
        steps.push({ ms: now(), failed: failureOf(error) });
      }
      throw error;
    } finally {
      await keep({ head, steps });
    }
  }
}
