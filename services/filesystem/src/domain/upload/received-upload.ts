import type { RunId } from '@spanwise/kernel';

/** Names an upload. */
export interface UploadKey {
  readonly viewId: RunId;
  /** Chosen by the client, unique to the view. */
  readonly uploadId: string;
}

/** What one stream has stored of an upload: nobody changes it unless another stream goes on with the upload. */
export interface ReceivedUpload extends UploadKey {
  /** Names the stream. */
  readonly stream: string;
  /** Bytes. */
  readonly size: number;
}
