export type { ResumeOptions } from './resume.ts';
export { type RunRequest, SpanwiseClient, type SpanwiseClientOptions, type WatchRequest } from './spanwise-client.ts';
export { SpanwiseError } from './spanwise-error.ts';
