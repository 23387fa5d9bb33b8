/** What a tool is, for those who write one and for the host: nothing but types, constants and pure functions. */
export { type ArgumentIssue, formatPath, type JsonPath } from './argument-issue.ts';
export type { Egress, EgressRequest, EgressResponse } from './egress.ts';
export { resolvePath, workspacePath } from './file-path.ts';
export type {
  ByteRange,
  DeleteOptions,
  FileInfo,
  FileMount,
  Files,
  GlobQuery,
  GlobResult,
  GrepItem,
  GrepMatch,
  GrepQuery,
  GrepSummary,
  PageRequest,
  TextEdit,
  WriteGuard,
} from './files.ts';
export type { Approval, Interrupt, InterruptAnswer, InterruptKind } from './interrupt.ts';
export type { SessionReads } from './session-reads.ts';
export {
  defaultDecisionOf,
  defaultToolLimits,
  type ParsedInput,
  type ProviderTool,
  type Tool,
  type ToolClass,
  type ToolEffect,
  type ToolInput,
  type ToolLimits,
  type ToolOutput,
  type ToolSuspension,
  type ToolTarget,
} from './tool.ts';
export type { CallFacts, CallLog, ProviderToolContext, ToolContext, ToolProgress } from './tool-context.ts';
export {
  joinPolicies,
  matchesWild,
  namesTool,
  noPolicy,
  parseRule,
  type ToolPolicy,
  type ToolRule,
} from './tool-rule.ts';
