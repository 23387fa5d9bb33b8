/** What a page token is bound to: the list, its caller and its filter. */
export type PageScope = readonly string[];

/** Makes and reads opaque page tokens that nobody can forge or use elsewhere. */
export interface PageTokens {
  sign(scope: PageScope, cursor: readonly (string | number)[]): string;
  /** Throws INVALID_PAGE_TOKEN for anything that `sign` did not make for this scope. */
  read(scope: PageScope, token: string): readonly (string | number)[];
}
