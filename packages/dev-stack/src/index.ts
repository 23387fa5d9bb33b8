export { demoModel, demoTask, reportPath } from './demo-model.ts';
export {
  type EmbeddedStack,
  type EmbeddedStackOptions,
  type ServiceName,
  startEmbeddedStack,
} from './embedded-stack.ts';
