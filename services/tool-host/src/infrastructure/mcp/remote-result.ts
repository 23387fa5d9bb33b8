import type { CallToolResult } from '@modelcontextprotocol/client';
import type { ToolOutput } from '@spanwise/tool-kit/contract';
import { clipBytes } from '../../domain/text/bounded-text.ts';
import type { RemoteSchema } from './remote-schema.ts';
import { remoteFailureText, remoteLine } from './remote-text.ts';

type Content = CallToolResult['content'][number];

/** Of all text of a result: what is over it is not even kept in a file. */
const maxTextBytes = 2 * 1024 * 1024;
const maxItems = 1000;
const maxStructuredDepth = 64;
const maxFactLength = 200;

/** What a model is told of a result: its text, and a line for all that is none. */
export function toToolOutput(result: CallToolResult, outputSchema: RemoteSchema | undefined): ToolOutput {
  const { content, structuredContent, isError } = result;
  const parts = content.slice(0, maxItems).map(textOf);
  const left = content.length > maxItems ? [`[${content.length - maxItems} further parts are left out]`] : [];
  const text = clipBytes([...parts, ...left].join('\n'), maxTextBytes);
  if (isError === true) {
    return { text: remoteFailureText(text), isError: true };
  }
  const structured = structuredOf(structuredContent, outputSchema);
  const shown = text === '' && structured.value !== undefined ? JSON.stringify(structured.value) : text;
  return {
    text: shown,
    ...(structured.value === undefined ? {} : { structured: structured.value }),
    ...(structured.notice === '' ? {} : { notice: structured.notice }),
  };
}

interface Structured {
  /** Undefined when there is none that can be used. */
  readonly value: unknown;
  readonly notice: string;
}

function structuredOf(value: unknown, schema: RemoteSchema | undefined): Structured {
  if (value === undefined) {
    const notice = schema === undefined ? '' : '[The server left out the structured result that it promises.]';
    return { value, notice };
  }
  if (isDeeper(value, maxStructuredDepth)) {
    return { value: undefined, notice: '[The structured result is nested too deeply and was left out.]' };
  }
  return schema === undefined || schema.parse(value).isValid
    ? { value, notice: '' }
    : { value: undefined, notice: '[The structured result does not fit the schema of the server and was left out.]' };
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) {
    return false;
  }
  return levels === 0 || Object.values(value).some((member) => isDeeper(member, levels - 1));
}

function textOf(content: Content): string {
  switch (content.type) {
    case 'text':
      return content.text;
    case 'image':
    case 'audio':
      return `[${content.type}: ${fact(content.mimeType)}, ${bytesOf(content.data)} bytes, not shown]`;
    case 'resource': {
      const { uri, mimeType } = content.resource;
      const bytes =
        'text' in content.resource ? Buffer.byteLength(content.resource.text) : bytesOf(content.resource.blob);
      return `[resource: ${fact(uri)}${mimeType === undefined ? '' : `, ${fact(mimeType)}`}, ${bytes} bytes, not shown]`;
    }
    case 'resource_link': {
      const { uri, name, mimeType, size } = content;
      const facts = [name, uri, mimeType, size === undefined ? undefined : `${size} bytes`];
      return `[link: ${facts.flatMap((each) => (each === undefined ? [] : [fact(each)])).join(', ')}]`;
    }
    default:
      return '[a part of a kind that is not known, not shown]';
  }
}

function fact(text: string): string {
  return remoteLine(text, maxFactLength);
}

/** Of data in base64. */
function bytesOf(base64: string): number {
  return Buffer.byteLength(base64, 'base64');
}
