/** The guarded way to the web: for tools ({@link GuardedEgress}), and for libraries that take a `fetch`. */
export { parseAllowList } from './allow-list.ts';
export type { GuardOptions } from './guard-options.ts';
export type { ResolveName } from './guarded-connector.ts';
export { GuardedEgress } from './guarded-egress.ts';
export { type GuardedFetchOptions, guardedFetch } from './guarded-fetch.ts';
