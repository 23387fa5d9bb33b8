import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  ToolClass as ToolClassMessage,
  ToolDecision as ToolDecisionMessage,
  ToolEffect as ToolEffectMessage,
  type ToolSchema,
} from '@spanwise/contracts/spanwise/tool/v1/tool';
import { defaultDecisionOf, type Tool, type ToolClass, type ToolEffect } from '@spanwise/tool-kit/contract';

/** What executing a tool does, as it is sent. */
export const effects: Readonly<Record<ToolEffect, ToolEffectMessage>> = {
  READ_ONLY: ToolEffectMessage.READ_ONLY,
  IDEMPOTENT: ToolEffectMessage.IDEMPOTENT,
  NON_REPEATABLE: ToolEffectMessage.NON_REPEATABLE,
};

const classes: Readonly<Record<ToolClass, ToolClassMessage>> = {
  files: ToolClassMessage.FILES,
  search: ToolClassMessage.SEARCH,
  interaction: ToolClassMessage.INTERACTION,
  shell: ToolClassMessage.SHELL,
  web: ToolClassMessage.WEB,
  delegation: ToolClassMessage.DELEGATION,
  remote: ToolClassMessage.REMOTE,
  own: ToolClassMessage.OWN,
};

const decisions = { allow: ToolDecisionMessage.ALLOW, ask: ToolDecisionMessage.ASK };

/** What a model is told of a tool. */
export function toToolMessage(tool: Tool): MessageInitShape<typeof ToolSchema> {
  const { name, title, description, version } = tool;
  return {
    name,
    title,
    description,
    version,
    inputSchemaJson: JSON.stringify(tool.input.jsonSchema),
    effect: effects[tool.effect],
    toolClass: classes[tool.toolClass],
    defaultDecision: decisions[tool.defaultDecision ?? defaultDecisionOf(tool.toolClass)],
    source: tool.source ?? 'builtin',
  };
}
