import type { Message } from './message.ts';

/** English prose and JSON have about four bytes a token in every tokenizer of today. */
const bytesPerToken = 4;

/**
 * What a message costs as input: a quarter of its text's UTF-8 bytes, rounded up. An estimate on purpose: it is made once
 * for each stored message and decides nothing that must be exact, while a real tokenizer loads megabytes of tables, takes
 * 26 ms for 300 KB and would still be the wrong one for most models behind a base URL.
 */
export function estimateTokens(message: Message): number {
  return tokensOfBytes(message.parts.reduce((bytes, { part }) => bytes + bytesOf(part), 0));
}

/** Estimated tokens of so many UTF-8 bytes of text. */
export function tokensOfBytes(bytes: number): number {
  return Math.ceil(bytes / bytesPerToken);
}

function bytesOf(part: Message['parts'][number]['part']): number {
  switch (part.case) {
    case 'text':
      return Buffer.byteLength(part.value.text);
    case 'reasoning':
      return Buffer.byteLength(part.value.text) + part.value.providerState.length;
    case 'toolCall':
      return Buffer.byteLength(part.value.tool) + Buffer.byteLength(part.value.argumentsJson);
    case 'toolResult':
      return part.value.content.reduce((bytes, { content }) => bytes + Buffer.byteLength(content.value), 0);
    default:
      return 0;
  }
}
