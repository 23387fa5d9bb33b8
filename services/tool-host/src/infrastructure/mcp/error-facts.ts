import { remoteError } from './remote-text.ts';

/** What is logged of an error: it may have been made of what a server sent. */
export function errorFacts(error: unknown): { readonly error: string; readonly code?: string } {
  if (!(error instanceof Error)) {
    return { error: remoteError(String(error)) };
  }
  const code: unknown =
    Reflect.get(error, 'code') ?? (error.cause instanceof Error ? Reflect.get(error.cause, 'code') : '');
  const isCode = typeof code === 'string' || typeof code === 'number';
  return {
    error: remoteError(`${error.name}: ${error.message}`),
    ...(isCode && code !== '' ? { code: String(code) } : {}),
  };
}
