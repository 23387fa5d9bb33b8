/** Opaque page tokens. A token only opens for the query that it was made for. */
export interface PageTokens {
  /** `query` names what is listed; `position` is where the next page starts. */
  seal(query: string, position: string): string;

  /** The position; empty for an empty token, which asks for the first page. Throws INVALID_PAGE_TOKEN. */
  open(query: string, token: string): string;
}
