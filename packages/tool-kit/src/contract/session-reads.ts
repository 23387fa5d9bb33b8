/** Which version of each file one session of one user has read, or has written itself. */
export interface SessionReads {
  /** Etag that the session knows; undefined when it has not read the file, or that was forgotten. */
  etagOf(path: string): string | undefined;
  remember(path: string, etag: string): void;
  forget(path: string): void;
}
