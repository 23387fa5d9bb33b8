import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { LanguageModelV4 } from '@ai-sdk/provider';
import { type DomainError, excerpt } from '@spanwise/kernel';
import { badSetting } from '@spanwise/service-kit';

export interface LoadAiSdkModelsOptions {
  /** A path that begins with `.` or `/`, a `file:` URL, or the name of a package. */
  readonly module: string;
  /** Folder that a path is relative to, and whose packages are looked at first. */
  readonly folder: string;
}

/**
 * Imports an operator's module that exports `models`, an object of language models by name. What the module imports, such
 * as a provider's package, lies beside it.
 *
 * Throws INVALID_FIELD with the module and what is wrong: it is not there, can not be loaded, exports no models, or one
 * that is none or of another version of the interface.
 */
export async function loadAiSdkModels(options: LoadAiSdkModelsOptions): Promise<ReadonlyMap<string, LanguageModelV4>> {
  const { models } = await importModule(options);
  if (typeof models !== 'object' || models === null || Array.isArray(models) || Object.keys(models).length === 0) {
    throw moduleUnfit(options.module, 'exports no object `models` with a model in it');
  }
  for (const [name, model] of Object.entries(models)) {
    const lacking = lackOf(model);
    if (lacking !== undefined) {
      throw moduleUnfit(options.module, `exports ${excerpt(name)}, which is no language model: ${lacking}`);
    }
  }
  return new Map(Object.entries(models as Record<string, LanguageModelV4>));
}

/** The module of `SPANWISE_AI_SDK_MODELS` can not be used. The operator corrects it. */
function moduleUnfit(name: string, why: string): DomainError {
  return badSetting('SPANWISE_AI_SDK_MODELS', `can not be used: ${name} ${why}`);
}

async function importModule({ module, folder }: LoadAiSdkModelsOptions): Promise<Readonly<Record<string, unknown>>> {
  const target = resolveModule(module, folder);
  if (target.startsWith('file:') && !existsSync(fileURLToPath(target))) {
    throw moduleUnfit(module, 'is not there');
  }
  try {
    return (await import(/* @vite-ignore */ target)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw moduleUnfit(module, `can not be loaded: ${line.replace(/\.$/, '')}`);
  }
}

/** The URL of a module; the name itself when the folder has no such package. */
function resolveModule(name: string, folder: string): string {
  if (name.startsWith('file:')) {
    return name;
  }
  if (/^[./]/.test(name)) {
    return pathToFileURL(resolve(folder, name)).href;
  }
  try {
    return pathToFileURL(createRequire(join(folder, 'models.js')).resolve(name)).href;
  } catch {
    return name;
  }
}

/** What keeps a value from being a language model; undefined when it is one. */
function lackOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) {
    return `it is ${value === null ? 'null' : `a ${typeof value}`}`;
  }
  const { specificationVersion, modelId, doStream } = value as Partial<Record<keyof LanguageModelV4, unknown>>;
  if (specificationVersion !== 'v4') {
    return `its specificationVersion is ${JSON.stringify(specificationVersion) ?? 'missing'} and not "v4"`;
  }
  return typeof modelId === 'string' && typeof doStream === 'function' ? undefined : 'it lacks modelId or doStream';
}
