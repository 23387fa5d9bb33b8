/** Digest (SHA-256, hex) of what a call asks for: tells it from another one with the same id. */
export async function argsHash(tool: string, argumentsJson: string): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify([tool, argumentsJson]));
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)).toHex();
}
