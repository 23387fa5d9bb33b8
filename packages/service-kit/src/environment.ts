import { readFileSync } from 'node:fs';
import { DomainError } from '@spanwise/kernel';

/** Environment variables by name, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads settings from environment variables. A setting `X` may also come from a file whose path is in `X_FILE`, which is
 * how secrets are mounted. Throws with the name of the variable when a value can not be used.
 */
export class EnvironmentReader {
  readonly #env: Environment;

  constructor(env: Environment) {
    this.#env = env;
  }

  text(name: string, fallback: string): string {
    return this.optional(name) ?? fallback;
  }

  /** Undefined when the variable is unset or empty. */
  optional(name: string): string | undefined {
    const file = this.#env[`${name}_FILE`];
    const value = file === undefined || file === '' ? this.#env[name] : readSecret(name, file);
    return value === undefined || value === '' ? undefined : value;
  }

  integer(name: string, fallback: number, range: { readonly min: number; readonly max: number }): number {
    const text = this.optional(name);
    const value = text === undefined ? fallback : Number(text);
    if (!Number.isInteger(value) || value < range.min || value > range.max) {
      throw badSetting(name, `must be a whole number from ${range.min} to ${range.max}`);
    }
    return value;
  }

  choice<Choice extends string>(name: string, choices: readonly Choice[], fallback: Choice): Choice {
    const text = this.text(name, fallback);
    const found = choices.find((choice) => choice === text);
    if (found === undefined) {
      throw badSetting(name, `must be one of ${choices.join(', ')}`);
    }
    return found;
  }

  url(name: string, fallback: string): string {
    const text = this.text(name, fallback);
    if (!URL.canParse(text)) {
      throw badSetting(name, 'must be a URL');
    }
    return text;
  }
}

/** A setting can not be used. The operator corrects the variable. */
export function badSetting(name: string, rule: string): DomainError {
  return new DomainError('invalid', 'INVALID_FIELD', `${name} ${rule}.`, { facts: { variable: name } });
}

function readSecret(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new DomainError('invalid', 'INVALID_FIELD', `${name}_FILE names a file that can not be read.`, {
      cause: error,
    });
  }
}
