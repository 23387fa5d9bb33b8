import type { ArgumentIssue, JsonPath, Tool } from '@spanwise/tool-kit/contract';
import { argumentsInvalid } from '../domain/arguments/argument-errors.ts';
import { locateJson } from '../domain/arguments/json-scanner.ts';
import type { DecodedArguments } from './decode-arguments.ts';

/**
 * Checks arguments against the schema of the tool. Models that must name every key send `null` for those that they do not
 * want, so a `null` that the schema refuses is dropped where its key is optional. Throws INVALID_FIELD with path and
 * position of everything that is wrong.
 */
export function validateArguments<Input>(tool: Tool<Input>, { value, text }: DecodedArguments): Input {
  const first = tool.input.parse(value);
  if (first.isValid) {
    return first.input;
  }
  const nulls = first.issues.filter((issue) => isRefusedNull(value, issue)).map(({ path }) => path);
  const second = nulls.length === 0 ? first : tool.input.parse(withoutAll(value, nulls));
  if (second.isValid) {
    return second.input;
  }
  throw argumentsInvalid(tool.name, located(second.issues, text));
}

function located(issues: readonly ArgumentIssue[], text: string) {
  return issues.map((issue) => ({ ...issue, position: locateJson(text, issue.path) }));
}

function isRefusedNull(value: unknown, { path, kind }: ArgumentIssue): boolean {
  // Only keys of objects can be left out; an element of an array, or the whole, can not.
  const isKey = kind === 'bad-value' && typeof path.at(-1) === 'string';
  return isKey && path.reduce(memberOf, value) === null;
}

function memberOf(value: unknown, key: string | number): unknown {
  const isHolder = typeof value === 'object' && value !== null && Object.hasOwn(value, key);
  return isHolder ? (value as Record<string | number, unknown>)[key] : undefined;
}

function withoutAll(value: unknown, paths: readonly JsonPath[]): unknown {
  const copy = structuredClone(value);
  for (const path of paths) {
    const holder = path.slice(0, -1).reduce(memberOf, copy);
    Reflect.deleteProperty(Object(holder), path.at(-1) ?? '');
  }
  return copy;
}
