// What own tools throw; so that they need no other package.
export { DomainError } from '@spanwise/kernel';
export * from './contract/index.ts';
export { defineProviderTool, defineTool, type ProviderToolDefinition, type ToolDefinition } from './define-tool.ts';
export { wellFormedText } from './well-formed.ts';
