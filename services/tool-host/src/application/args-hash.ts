/** Digest (SHA-256, hex) of what a call asks for: tells it from another one with the same id. */
export function argsHash(tool: string, argumentsJson: string): Promise<string> {
  return digest([tool, argumentsJson]);
}

/** Digest (SHA-256, hex) of what an approval is for. */
export function approvalHash(tool: string, version: string, argumentsJson: string): Promise<string> {
  return digest([tool, version, argumentsJson]);
}

async function digest(parts: readonly string[]): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(parts));
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)).toHex();
}
