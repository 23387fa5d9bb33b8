import type { DomainError } from '@spanwise/kernel';
import type { Dispatcher } from 'undici';
import { diskUnavailable } from '../../../domain/disk/disk-errors.ts';

/** The head of a server's answer, and its body if somebody wants it. */
export class RestAnswer {
  readonly status: number;
  readonly #disk: string;
  readonly #method: string;
  readonly #data: Dispatcher.ResponseData;

  constructor(disk: string, method: string, data: Dispatcher.ResponseData) {
    this.status = data.statusCode;
    this.#disk = disk;
    this.#method = method;
    this.#data = data;
  }

  /** Undefined when it is missing; what comes several times is one list. */
  header(name: string): string | undefined {
    const value = this.#data.headers[name];
    return typeof value === 'string' ? value : value?.join(', ');
  }

  /** Media type without parameters, in lower case. */
  get mediaType(): string {
    return (this.header('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  }

  /** The length that the server has announced; undefined when it has not, or nonsense. */
  get length(): number | undefined {
    return countOf(this.header('content-length'));
  }

  /** The body, which is never decoded. Throws DISK_UNAVAILABLE as soon as it is longer than `limit` bytes. */
  async bytes(limit: number): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of this.#chunks()) {
      size += chunk.length;
      if (size > limit) {
        throw this.unusable(`a body longer than ${limit} bytes`);
      }
      chunks.push(chunk);
    }
    return joined(chunks, 0, size);
  }

  /** Bytes of the body from `start` to before `end`, or as many as there are; what follows is not waited for. */
  async slice(start: number, end: number): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of this.#chunks()) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= end) {
        break;
      }
    }
    return joined(chunks, start, end);
  }

  /** DISK_UNAVAILABLE, because the server does not speak as it should. What it has said is not repeated to anybody. */
  unusable(what: string): DomainError {
    return diskUnavailable(this.#disk, `${this.#method} was answered by ${this.status} with ${what}`);
  }

  /** Lets go of the connection: for other requests if little of the body is left, else for good. */
  discard(): void {
    const { body } = this.#data;
    body.dump({ limit: maxDiscardedBytes }).catch(() => undefined);
  }

  #chunks(): AsyncIterable<Uint8Array> {
    return this.#data.body;
  }
}

/** A whole number as headers have it; undefined for anything else. */
export function countOf(text: string | undefined): number | undefined {
  const count = text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : undefined;
  return Number.isSafeInteger(count) ? count : undefined;
}

const maxDiscardedBytes = 64 * 1024;

function joined(chunks: readonly Uint8Array[], start: number, end: number): Uint8Array {
  // Copied: what the connection has read into may hold more than these bytes.
  return Uint8Array.from(Buffer.concat(chunks).subarray(start, end));
}
