import type { Environment } from '@spanwise/service-kit';
import { startScriptedModel } from '@spanwise/testing';
import { demoModel } from './demo-model.ts';

export interface ModelSource extends AsyncDisposable {
  /** Settings that point the runtime at the model. */
  readonly env: Environment;
  /** What to tell people. */
  readonly description: string;
}

/** The model that is configured, or the scripted one where none is. */
export async function chooseModel(env: Environment): Promise<ModelSource> {
  if (env.OPENAI_API_KEY || env.OPENAI_API_KEY_FILE || env.SPANWISE_MODEL_BASE_URL) {
    const where = env.SPANWISE_MODEL_BASE_URL ?? 'OpenAI';
    return { env, description: `real model at ${where}`, [Symbol.asyncDispose]: async () => undefined };
  }
  const scripted = await startScriptedModel(demoModel, { deltaMs: 4, chunkSize: 6 });
  return {
    env: { ...env, SPANWISE_MODEL_BASE_URL: scripted.baseUrl, OPENAI_API_KEY: 'scripted' },
    description: 'scripted model (no key or base URL is set: a script plays the model over the OpenAI protocol)',
    [Symbol.asyncDispose]: () => scripted[Symbol.asyncDispose](),
  };
}
