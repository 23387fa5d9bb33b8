export { demoModel, demoTask, reportPath } from './demo-model.ts';
export { type DistributedStack, type DistributedStackOptions, startDistributedStack } from './distributed-stack.ts';
export {
  type EmbeddedStack,
  type EmbeddedStackOptions,
  type ServiceName,
  startEmbeddedStack,
} from './embedded-stack.ts';
export type { ServiceProcess } from './service-process.ts';
