import { argumentsNotJson, argumentsTooLong } from '../domain/arguments/argument-errors.ts';
import { findJsonFault } from '../domain/arguments/json-scanner.ts';
import { utf8Length } from '../domain/text/bounded-text.ts';

/** The arguments of a call, and the JSON text that they were read from. */
export interface DecodedArguments {
  readonly value: unknown;
  readonly text: string;
}

const maxBytes = 1024 * 1024;

/**
 * Reads the arguments of a call: at most 1 MiB of JSON, at most 32 levels deep. Some models encode them twice, so a JSON
 * string is read once more. Throws INVALID_FIELD with the position of what is wrong; nothing is ever repaired.
 */
export function decodeArguments(text: string): DecodedArguments {
  const bytes = utf8Length(text);
  if (bytes > maxBytes) {
    throw argumentsTooLong(bytes, maxBytes);
  }
  const value = parseJson(text);
  return typeof value === 'string' ? { value: parseJson(value), text: value } : { value, text };
}

function parseJson(text: string): unknown {
  const fault = findJsonFault(text);
  if (fault !== undefined) {
    throw argumentsNotJson(text, fault);
  }
  return JSON.parse(text);
}
