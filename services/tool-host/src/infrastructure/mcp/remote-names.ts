import { createHash } from 'node:crypto';

/** What model providers accept as the length of a name. */
const maxLength = 64;
const hashLength = 8;

/** Names that are taken as they come; servers should use less. */
const printable = /^[\x21-\x7e]{1,128}$/;

/** Whether a server may call a tool so. */
export function isToolName(name: string): boolean {
  return printable.test(name);
}

/**
 * What models call a tool of a server by. What they may not call it by is replaced, what is too long is clipped; then the hash
 * of the name tells it from others.
 */
export function offeredName(server: string, tool: string): string {
  const plain = tool.replaceAll(/[^a-zA-Z0-9_-]/g, '_');
  const name = `${server}__${plain}`;
  if (plain === tool && name.length <= maxLength) {
    return name;
  }
  const hash = createHash('sha256').update(tool).digest('hex').slice(0, hashLength);
  return `${name.slice(0, maxLength - hashLength - 1)}_${hash}`;
}
