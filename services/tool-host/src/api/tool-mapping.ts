import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  ToolClass as ToolClassMessage,
  ToolEffect as ToolEffectMessage,
  type ToolSchema,
} from '@spanwise/contracts/spanwise/tool/v1/tool';
import type { Tool, ToolClass, ToolEffect } from '../domain/tool/tool.ts';

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
};

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
  };
}
