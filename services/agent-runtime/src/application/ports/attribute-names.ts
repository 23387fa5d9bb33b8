/** Names of the span attributes that a run sets. The telemetry package pins them; composition hands them in. */
export interface AttributeNames {
  readonly operationName: string;
  readonly providerName: string;
  readonly requestModel: string;
  readonly responseFinishReasons: string;
  readonly conversationId: string;
  readonly agentName: string;
  readonly toolName: string;
  readonly toolCallId: string;
  readonly inputTokens: string;
  readonly outputTokens: string;
}
