/**
 * State that a provider wants back is kept in reasoning parts, as JSON of the form `{"owner", "state"}` in UTF-8. The owner
 * tells whose it is: a session may change its model, and a provider refuses the state of another one.
 */
export function encodeState(owner: string, state: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ owner, state }));
}

/** The state; undefined when there is none or another provider's. */
export function decodeState(owner: string, bytes: Uint8Array): unknown {
  if (bytes.length === 0) {
    return undefined;
  }
  try {
    const kept: unknown = JSON.parse(new TextDecoder().decode(bytes));
    const { owner: from, state } = (kept ?? {}) as { readonly owner?: unknown; readonly state?: unknown };
    return from === owner ? state : undefined;
  } catch {
    return undefined;
  }
}
