import type { ModelPart } from '../../src/domain/model/model-part.ts';
import type { ModelCapabilities, ModelProvider } from '../../src/domain/model/model-provider.ts';
import type { ModelRequest } from '../../src/domain/model/model-request.ts';
import type { ScriptedAnswer } from '../../src/infrastructure/model-providers/scripted/script.ts';
import { ScriptedModelProvider } from '../../src/infrastructure/model-providers/scripted/scripted-model-provider.ts';

/** Plays the models of several agents at once: each answer follows from what it is asked, not from when. */
export class DialogueModel implements ModelProvider {
  readonly id = 'scripted';
  /** What was asked, in order; the dialogue as it was then. */
  readonly requests: ModelRequest[] = [];
  readonly #play: (request: ModelRequest) => ScriptedAnswer;

  constructor(play: (request: ModelRequest) => ScriptedAnswer) {
    this.#play = play;
  }

  capabilities(): ModelCapabilities {
    return new ScriptedModelProvider([]).capabilities();
  }

  stream(request: ModelRequest, options: { readonly signal: AbortSignal }): AsyncGenerator<ModelPart, void> {
    this.requests.push({ ...request, messages: [...request.messages] });
    return new ScriptedModelProvider([this.#play(request)]).stream(request, options);
  }
}
