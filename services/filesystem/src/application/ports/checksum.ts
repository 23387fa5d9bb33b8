/** A SHA-256 that is made piece by piece. */
export interface Checksum {
  add(data: Uint8Array): void;
  /** Ends it. In hex. */
  hex(): string;
}

export type StartChecksum = () => Checksum;
