import { createHash } from 'node:crypto';
import type { ElicitResult } from '@modelcontextprotocol/client';
import { DomainError } from '@spanwise/kernel';
import type { InterruptAnswer, ToolSuspension } from '@spanwise/tool-kit/contract';
import { z } from 'zod';
import { asksTooMuch } from './mcp-errors.ts';
import type { SchemaCompiler } from './remote-schema.ts';
import { remoteText } from './remote-text.ts';

/** One form that a server wants filled in. */
export interface Form {
  /** By which the server knows it, since revision 2026-07-28; else by which we know it when it is asked again. */
  readonly key: string;
  /** For people. */
  readonly message: string;
  /** JSON Schema of the form: an object of plain values. */
  readonly schema: Readonly<Record<string, unknown>>;
}

/** The user is not sent to pages: the other mode is not one that we say we have. */
const formShape = z.object({
  mode: z.literal('form').optional(),
  message: z.string(),
  requestedSchema: z.record(z.string(), z.unknown()),
});

const maxForms = 4;
const maxMessageLength = 4000;
const maxFormBytes = 16 * 1024;

/** Who asks, and how. */
export interface FormSource {
  readonly server: string;
  readonly compiler: SchemaCompiler;
  /** Under which the answer is expected; undefined = the server waits for it. */
  readonly key: string | undefined;
}

/** Reads what a server asks for. Throws TOOL_FAILED for anything but a form of reasonable size. */
export function readForm({ server, compiler, key }: FormSource, params: unknown): Form {
  const asked = formShape.safeParse(params);
  if (!asked.success) {
    throw asksTooMuch(server, 'something else than a form to fill in');
  }
  const { message, requestedSchema } = asked.data;
  if (JSON.stringify(requestedSchema).length > maxFormBytes || !compiler.compile(requestedSchema).isFit) {
    throw asksTooMuch(server, 'a form that can not be shown');
  }
  const hash = createHash('sha256')
    .update(JSON.stringify([message, requestedSchema]))
    .digest('hex');
  return { key: key ?? hash, message: remoteText(message, maxMessageLength), schema: requestedSchema };
}

/** What the user is asked. Throws TOOL_FAILED for too many forms. */
export function ask(server: string, forms: readonly Form[]): ToolSuspension {
  if (forms.length > maxForms) {
    throw asksTooMuch(server, `${forms.length} forms at once`);
  }
  const message = [`The server "${server}" asks:`, ...forms.map((form) => form.message)].join('\n\n');
  return { suspend: { kind: 'question', message, schema: answerSchema(forms) } };
}

/** One form is the content itself, several are its members. */
function answerSchema(forms: readonly Form[]): Readonly<Record<string, unknown>> {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: {
      action: { enum: ['accept', 'decline'], title: 'accept: what the form says is sent. decline: nothing is.' },
      content: contentSchema(forms),
    },
    required: ['action'],
    additionalProperties: false,
  };
}

function contentSchema(forms: readonly Form[]): Readonly<Record<string, unknown>> {
  const [form, ...others] = forms;
  if (form !== undefined && others.length === 0) {
    return form.schema;
  }
  const properties = Object.fromEntries(
    forms.map(({ key, schema, message }) => [key, { description: message, ...schema }]),
  );
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
}

const answerShape = z.object({
  action: z.enum(['accept', 'decline']),
  content: z.record(z.string(), z.unknown()).optional(),
});

/**
 * What the server is told of each form, by its key. Throws INVALID_FIELD, in words for the model, for an answer that does not
 * fit.
 */
export function readAnswers(
  compiler: SchemaCompiler,
  forms: readonly Form[],
  { answerJson, isExpired }: InterruptAnswer,
): Readonly<Record<string, ElicitResult>> {
  if (isExpired) {
    return all(forms, () => ({ action: 'cancel' }));
  }
  const parsed = answerShape.safeParse(parseJson(answerJson));
  if (!parsed.success) {
    throw answerInvalid('it is not what was asked for');
  }
  const { action, content = {} } = parsed.data;
  if (action === 'decline') {
    return all(forms, () => ({ action }));
  }
  return all(forms, ({ key, schema }) => {
    const filled = forms.length === 1 ? content : content[key];
    const compiled = compiler.compile(schema);
    const checked = compiled.isFit ? compiled.schema.parse(filled) : undefined;
    if (checked?.isValid !== true) {
      throw answerInvalid('it does not fit the form');
    }
    return { action, content: checked.input as NonNullable<ElicitResult['content']> };
  });
}

function all(forms: readonly Form[], answer: (form: Form) => ElicitResult): Readonly<Record<string, ElicitResult>> {
  return Object.fromEntries(forms.map((form) => [form.key, answer(form)]));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The answer that was stored does not fit what was asked. The model may call again. */
function answerInvalid(why: string): DomainError {
  const text = `The user's answer can not be used: ${why}. Call again if it matters.`;
  return new DomainError('invalid', 'INVALID_FIELD', text);
}
