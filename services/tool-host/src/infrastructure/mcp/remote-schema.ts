import type { ArgumentIssue, ParsedInput } from '@spanwise/tool-kit/contract';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { clipText } from '../../domain/text/bounded-text.ts';
import { linearPattern } from './linear-pattern.ts';
import { schemaFault } from './schema-caps.ts';

/** A JSON Schema of a server, made fit to be used. */
export interface RemoteSchema {
  /** Draft 2020-12, as it is shown to models. */
  readonly jsonSchema: Readonly<Record<string, unknown>>;
  /** Never throws. */
  parse(value: unknown): ParsedInput<unknown>;
}

export type CompiledSchema =
  | { readonly isFit: true; readonly schema: RemoteSchema }
  /** `fault` is for the operator. */
  | { readonly isFit: false; readonly fault: string };

/** Steps through references that checking one value may take: schemas that refer to themselves can make them endless. */
const maxSteps = 20_000;
const maxIssues = 20;
/** The only dialect that is named to models: schemas of older ones are told in its words. */
const draft = 'https://json-schema.org/draft/2020-12/schema';

class TooManySteps extends Error {}

const stepKeyword = 'x-spanwise-step';

/** Compiles the schemas of one server. */
export class SchemaCompiler {
  readonly #steps = { left: 0 };
  readonly #ajv: Ajv2020;

  constructor() {
    this.#ajv = new Ajv2020({
      ...{ strict: false, validateFormats: false, inlineRefs: false, logger: false },
      ...{ allErrors: true, code: { regExp: linearPattern } },
    });
    this.#ajv.addKeyword({ keyword: stepKeyword, schemaType: 'boolean', validate: () => this.#step() });
  }

  /**
   * Checks and compiles a schema that a server sent. What refers to other documents is refused, and so is what is too large
   * or too deep. Patterns are checked in linear time; `uniqueItems` and formats are left to the server.
   */
  compile(schema: unknown): CompiledSchema {
    const fault = schemaFault(schema);
    if (fault !== undefined) {
      return { isFit: false, fault };
    }
    const { $schema: dialect, $id: _, ...shown } = modern(schema) as Record<string, unknown>;
    const jsonSchema = dialect === draft ? { $schema: draft, ...shown } : shown;
    try {
      const fit = counted(jsonSchema) as Record<string, unknown>;
      const validate = this.#ajv.compile(fit);
      // Else it is kept for ever.
      this.#ajv.removeSchema(fit);
      return { isFit: true, schema: { jsonSchema, parse: (value) => this.#parse(validate, value) } };
    } catch (error) {
      return { isFit: false, fault: `it can not be compiled: ${clipText(String(error), 200)}` };
    }
  }

  #step(): boolean {
    this.#steps.left -= 1;
    if (this.#steps.left < 0) {
      throw new TooManySteps();
    }
    return true;
  }

  #parse(validate: ValidateFunction, value: unknown): ParsedInput<unknown> {
    this.#steps.left = maxSteps;
    try {
      return validate(value)
        ? { isValid: true, input: value }
        : { isValid: false, issues: (validate.errors ?? []).slice(0, maxIssues).map(issueOf) };
    } catch {
      // Too many steps, or references without an end that have used up the stack.
      return { isValid: false, issues: [{ path: [], kind: 'bad-value', problem: 'it is too large to be checked.' }] };
    } finally {
      validate.errors = null;
    }
  }
}

/** What ajv is given: each reference counts, and what takes time that is not linear is left out. */
function counted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  if (Array.isArray(value)) {
    return value.map(counted);
  }
  const members = Object.entries(value).flatMap(([key, member]): [string, unknown][] =>
    key === 'uniqueItems' && typeof member === 'boolean' ? [] : [[key, counted(member)]],
  );
  const refers = ['$ref', '$dynamicRef', '$recursiveRef'].some((key) => typeof Reflect.get(value, key) === 'string');
  return Object.fromEntries(refers ? [[stepKeyword, true], ...members] : members);
}

/** Tuples as drafts before 2020-12 have them, in the words of 2020-12; all else that is in use means the same there. */
function modern(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  if (Array.isArray(value)) {
    return value.map(modern);
  }
  const { items, additionalItems, ...others } = value as Record<string, unknown>;
  const rest = Object.fromEntries(Object.entries(others).map(([key, member]) => [key, modern(member)]));
  if (Array.isArray(items)) {
    const more = additionalItems === undefined ? {} : { items: modern(additionalItems) };
    return { ...rest, prefixItems: modern(items), ...more };
  }
  return items === undefined ? rest : { ...rest, items: modern(items) };
}

function issueOf({ keyword, instancePath, params, message = 'is not valid' }: ErrorObject): ArgumentIssue {
  const path = instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d{1,9}$/.test(part) ? Number(part) : part));
  if (keyword === 'additionalProperties' || keyword === 'unevaluatedProperties') {
    const key = String(params.additionalProperty ?? params.unevaluatedProperty);
    return { path: [...path, key], kind: 'unknown-key', problem: 'there is no such key.' };
  }
  if (keyword === 'required') {
    return { path: [...path, String(params.missingProperty)], kind: 'bad-value', problem: 'it is missing.' };
  }
  const allowed = keyword === 'enum' ? `: ${clipText(JSON.stringify(params.allowedValues), 500)}` : '';
  return { path, kind: 'bad-value', problem: `it ${clipText(message, 300)}${allowed}.` };
}
