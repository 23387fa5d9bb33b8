/**
 * Names of attributes of spans and metrics. The `gen_ai.*` ones are those of the OpenTelemetry GenAI semantic conventions as of 2026-11;
 * they are still in development there, so they are pinned here.
 */
export const attribute = {
  operationName: 'gen_ai.operation.name',
  providerName: 'gen_ai.provider.name',
  requestModel: 'gen_ai.request.model',
  responseFinishReasons: 'gen_ai.response.finish_reasons',
  conversationId: 'gen_ai.conversation.id',
  agentName: 'gen_ai.agent.name',
  toolName: 'gen_ai.tool.name',
  toolCallId: 'gen_ai.tool.call.id',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  runId: 'spanwise.run.id',
  epoch: 'spanwise.epoch',
  attempt: 'spanwise.attempt',
  filePath: 'file.path',
  /** `allow`, `ask`, `approved`, `deny`, `declined`, `expired`: what rules and the user said to a call. */
  toolDecision: 'spanwise.tool.decision',
  /** How many there were, of a call that has no span for each. */
  fileOperations: 'spanwise.tool.file_operations',
  /** How a call ended; `asked_…` when it waits for its user. */
  toolOutcome: 'spanwise.tool.outcome',
  errorType: 'error.type',
} as const;
