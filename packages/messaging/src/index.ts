export type { CancelBus, CancelHandler, CancelRequest } from './cancel-bus.ts';
export { InProcessCancelBus } from './in-process-cancel-bus.ts';
export { NatsCancelBus, type NatsOptions } from './nats-cancel-bus.ts';
