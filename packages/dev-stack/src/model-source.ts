import type { Environment } from '@spanwise/service-kit';
import { startScriptedModel } from '@spanwise/testing';
import { demoModel } from './demo-model.ts';

export interface ModelSource extends AsyncDisposable {
  /** Settings that point the runtime at the model. */
  readonly env: Environment;
  /** What to tell people. */
  readonly description: string;
}

/** Each of these, or a file of it, says that there is a model. */
const modelVariables = [
  'OPENAI_API_KEY',
  'GEMINI_API_KEY',
  'SPANWISE_MODEL_BASE_URL',
  'SPANWISE_MODEL_PROVIDERS',
  'SPANWISE_AI_SDK_MODELS',
  'SPANWISE_REPLAY_MODELS',
];

/** The model that is configured, or the scripted one where none is. */
export async function chooseModel(env: Environment): Promise<ModelSource> {
  const said = modelVariables.find((name) => env[name] || env[`${name}_FILE`]);
  if (said !== undefined) {
    return { env, description: `models of ${said}`, [Symbol.asyncDispose]: async () => undefined };
  }
  const scripted = await startScriptedModel(demoModel, { deltaMs: 4, chunkSize: 6 });
  return {
    env: { ...env, SPANWISE_MODEL_BASE_URL: scripted.baseUrl, OPENAI_API_KEY: 'scripted' },
    description: 'scripted model (no key or base URL is set: a script plays the model over the OpenAI protocol)',
    [Symbol.asyncDispose]: () => scripted[Symbol.asyncDispose](),
  };
}
