import type { ResolveName } from './guarded-connector.ts';

/** What may be reached, and how. */
export interface GuardOptions {
  /**
   * Hosts and ranges of addresses that may be reached besides the public internet, such as `internal.example.com`,
   * `*.example.com`, `10.1.0.0/16`, `localhost:8080` or `[fd00::/8]:8080`. A name may resolve to whatever it likes. Without a
   * port: those of the web. Default none.
   */
  readonly allow?: readonly string[];
  /** Default: as the operating system does. */
  readonly resolve?: ResolveName;
  /** Certificate authorities that are trusted, as PEM; default those that Node trusts. */
  readonly ca?: string;
}
