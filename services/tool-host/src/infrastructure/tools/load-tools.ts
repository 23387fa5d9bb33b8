import { existsSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type DomainError, excerpt } from '@spanwise/kernel';
import { badSetting } from '@spanwise/service-kit';
import type { Tool } from '@spanwise/tool-kit/contract';

export interface LoadToolsOptions {
  /** Paths that begin with `.` or `/`, `file:` URLs, or names of packages. */
  readonly modules: readonly string[];
  /** Folder that paths are relative to, and whose packages are looked at first. */
  readonly folder: string;
  /** Names that are taken. */
  readonly taken: readonly string[];
}

/**
 * Imports the tools of an operator: of each module what it exports as `tools`, an array, and as default, a tool or an array.
 * A module finds `@spanwise/tool-kit` and `zod` wherever it lies: its own, or those of this service.
 *
 * Throws INVALID_FIELD with the module and what is wrong: it is not there, can not be loaded (a schema that can not be told
 * to a model, among others), exports no tools, something that is none, or a name that is taken.
 */
export async function loadTools({ modules, folder, taken }: LoadToolsOptions): Promise<readonly Tool[]> {
  const owners = new Map(taken.map((name) => [name, 'this service']));
  const loaded: Tool[] = [];
  using _hooks = modules.length === 0 ? undefined : lendOwnPackages();
  for (const name of modules) {
    for (const tool of toolsOf(name, await importModule(name, folder))) {
      const owner = owners.get(tool.name);
      if (owner !== undefined) {
        throw moduleUnfit(name, `names a tool ${excerpt(tool.name)}, and so does ${owner}`);
      }
      owners.set(tool.name, name);
      loaded.push({ ...tool, source: 'own', execute: (input, context) => tool.execute(input, context) });
    }
  }
  return loaded;
}

/** A module of `SPANWISE_TOOLS` can not be used. The operator corrects it. */
function moduleUnfit(name: string, why: string): DomainError {
  return badSetting('SPANWISE_TOOLS', `can not be used: ${name} ${why}`);
}

/** What own tools import and need not bring along. */
const lent = /^(?:@spanwise\/tool-kit|zod)(?:\/|$)/;

/**
 * Lets a module that does not find the kit find that of this service: in the sources among its dependencies, in a bundle
 * beside it.
 */
function lendOwnPackages(): Disposable {
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      if (!lent.test(specifier)) {
        return next(specifier, context);
      }
      try {
        return next(specifier, context);
      } catch {
        return next(specifier, { ...context, parentURL: import.meta.url });
      }
    },
  });
  return { [Symbol.dispose]: () => hooks.deregister() };
}

async function importModule(name: string, folder: string): Promise<Readonly<Record<string, unknown>>> {
  const target = resolveModule(name, folder);
  if (target.startsWith('file:') && !existsSync(fileURLToPath(target))) {
    throw moduleUnfit(name, 'is not there');
  }
  try {
    return (await import(/* @vite-ignore */ target)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    const message = messageOf(error);
    const isMissing = message.startsWith(`Cannot find package '${name}'`);
    throw moduleUnfit(name, isMissing ? 'is not there' : `can not be loaded: ${message}`);
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
    return pathToFileURL(createRequire(join(folder, 'tools.js')).resolve(name)).href;
  } catch {
    return name;
  }
}

function messageOf(error: unknown): string {
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  return line.replace(/\.$/, '');
}

function toolsOf(name: string, { tools, default: byDefault }: Readonly<Record<string, unknown>>): readonly Tool[] {
  if (tools !== undefined && !Array.isArray(tools)) {
    throw moduleUnfit(name, 'exports `tools` that is no array');
  }
  const exported: readonly unknown[] = [...(tools ?? []), ...[byDefault ?? []].flat()];
  // A module may export the same tool both ways.
  const found = [...new Set(exported)];
  if (found.length === 0) {
    throw moduleUnfit(name, 'exports no tools: neither an array `tools` nor a default');
  }
  return found.map((each) => {
    const lacking = lackOf(each);
    if (lacking !== undefined) {
      throw moduleUnfit(name, `exports something that is no tool: ${lacking}. Make tools with defineTool`);
    }
    return each as Tool;
  });
}

const effects: readonly unknown[] = ['READ_ONLY', 'IDEMPOTENT', 'NON_REPEATABLE'];

/** What keeps a value from being a tool; undefined when it is one. */
function lackOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) {
    return `it is ${value === null ? 'null' : `a ${typeof value}`}`;
  }
  const { name, title, description, version, toolClass, effect, input, limits, execute } = value as Partial<Tool>;
  if (typeof name !== 'string' || !/^[a-zA-Z0-9_-]{1,64}$/.test(name)) {
    return 'its name has to be 1 to 64 letters, digits, "_" and "-"';
  }
  const isDescribed = [title, description, version, toolClass].every((each) => typeof each === 'string');
  const isWhole =
    isDescribed && effects.includes(effect) && typeof execute === 'function' && typeof limits?.timeoutMs === 'number';
  return isWhole && typeof input?.parse === 'function' && typeof input.jsonSchema === 'object'
    ? undefined
    : `${name} lacks something`;
}
