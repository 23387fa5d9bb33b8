/** What is asked of a server of the web. */
export interface EgressRequest {
  /** Default `GET`. */
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /**
   * Names in any case. `host`, `connection`, `accept-encoding` and the like are set by the guard. On a redirect to another
   * origin only those go along that can not be secrets: `accept`, `accept-language`, `content-type`, `user-agent`.
   */
  readonly headers?: Readonly<Record<string, string>>;
  /** Is not handed on by redirects to another origin: they are refused. */
  readonly body?: string | Uint8Array;
  /** Bytes of the answer's body that are kept, counted after decoding; default 5 MiB. */
  readonly maxBytes?: number;
  /** Redirects that are followed, each checked like the first address; default 5. */
  readonly maxRedirects?: number;
  /** True: a redirect to another host (name or port) is not followed but answered, with `redirectsTo`. Default false. */
  readonly staysOnHost?: boolean;
  /** Milliseconds for all of it, redirects and body included; default 30,000. */
  readonly timeoutMs?: number;
}

export interface EgressResponse {
  /** Where the answer is from, after redirects; without a fragment. */
  readonly url: string;
  readonly status: number;
  /** Names in lower case; several values of one name are joined with a comma. */
  readonly headers: Readonly<Record<string, string>>;
  /** Decoded. */
  readonly body: Uint8Array;
  /** The whole address that the answer redirects to, unchecked; undefined when it does not, or to nothing usable. */
  readonly redirectsTo?: string;
  /** True when the body was longer than `maxBytes`: what is left of it was not read. */
  readonly isTruncated: boolean;
}

/**
 * The web, as far as it may be reached: http and https to public addresses, and to the hosts that the operator names. No
 * cookie, no credential and no proxy of this process goes with a request.
 */
export interface Egress {
  /**
   * Throws EGRESS_REFUSED for what may not be reached, redirects included, FETCH_FAILED when there is no usable answer (a
   * status of any kind is one), DEADLINE_EXCEEDED, or the reason of `signal`.
   */
  fetch(url: string, request: EgressRequest, signal: AbortSignal): Promise<EgressResponse>;
}
