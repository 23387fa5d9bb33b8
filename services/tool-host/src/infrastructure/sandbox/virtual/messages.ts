/** The messages of the channel. What the process of a command says is not trusted: see process-messages.ts. */

/** Bytes of a file that one message carries. */
export const maxPieceBytes = 1024 * 1024;
/** Bytes of a file that one write carries: what the file service takes. */
export const maxWriteBytes = 8 * 1024 * 1024;
/** File operations of one process that are under way at once. */
export const maxFileOperations = 8;
/** Bytes of output in one message. */
export const maxOutputPiece = 64 * 1024;

/** What a process is told to do first, and only once: it ends after that. */
export type Assignment =
  | {
      readonly type: 'run';
      readonly script: string;
      readonly cwd: string;
      /** What the view is made of. */
      readonly mounts: readonly SentMount[];
      /** Bytes that /tmp may hold. */
      readonly scratchBytes: number;
    }
  | { readonly type: 'probe'; readonly secretFile: string; readonly port: number; readonly script: string };

/** The answer to a {@link FileOperation}. */
export type FileAnswer =
  | { readonly type: 'done'; readonly id: number; readonly value: unknown }
  /** `code` is one of errno. */
  | { readonly type: 'failed'; readonly id: number; readonly code: string; readonly message: string };

/** What a process asks for, of the view. Paths are absolute. */
export type FileOperation =
  | { readonly operation: 'stat'; readonly path: string }
  | { readonly operation: 'list'; readonly path: string; readonly pageToken: string }
  | { readonly operation: 'read'; readonly path: string; readonly offset: number; readonly length: number }
  /** The content is the data of the message. An empty etag: only if nothing is there. */
  | { readonly operation: 'write'; readonly path: string; readonly etag: string }
  | { readonly operation: 'make-directory'; readonly path: string }
  /** An empty etag: whatever is there. */
  | { readonly operation: 'delete'; readonly path: string; readonly isRecursive: boolean; readonly etag: string }
  | { readonly operation: 'move'; readonly path: string; readonly toPath: string };

/** What a process says. */
export type ProcessMessage =
  | { readonly type: 'ready' }
  /** The data of the message is what was put out. */
  | { readonly type: 'output'; readonly stream: 'stdout' | 'stderr' }
  | ({ readonly type: 'file'; readonly id: number } & FileOperation)
  | { readonly type: 'exit'; readonly exitCode: number }
  /** What could be done that must not be. */
  | { readonly type: 'probed'; readonly breaches: readonly string[]; readonly output: string };

/** A path of the view and whether nothing can be changed under it. */
export interface SentMount {
  readonly path: string;
  readonly isReadOnly: boolean;
}

/** What is at a path, as it goes over the channel. */
export interface SentFile {
  readonly path: string;
  readonly kind: 'file' | 'directory';
  readonly size: number;
  readonly etag: string;
  readonly modifyTimeMs?: number;
}
