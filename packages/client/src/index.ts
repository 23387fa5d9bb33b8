export type { OutputFile, RunRolledBack } from '@spanwise/contracts/spanwise/event/v1/event';
export {
  BusyPolicy,
  DisconnectPolicy,
  OnCancel,
  RunStatus,
  StopOutcome,
} from '@spanwise/contracts/spanwise/session/v1/session';
export { type Approval, type Interrupt, InterruptKind } from '@spanwise/contracts/spanwise/type/v1/interrupt';
export type { ResumeOptions } from './resume.ts';
export {
  type RunRequest,
  SpanwiseClient,
  type SpanwiseClientOptions,
  type WatchRequest,
} from './spanwise-client.ts';
export { SpanwiseError } from './spanwise-error.ts';
