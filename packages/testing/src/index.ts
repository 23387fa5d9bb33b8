export { findProgram, startServer, stopServer, waitFor } from './child-server.ts';
export { type FakeClock, fakeClock } from './fake-clock.ts';
export { fakeIds } from './fake-ids.ts';
export { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from './otlp-receiver.ts';
export {
  type ModelMessage,
  type ModelReply,
  type ModelRequest,
  type ModelScript,
  type ScriptedModel,
  type ScriptedModelOptions,
  startScriptedModel,
} from './scripted-model.ts';
export { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';
export { mysqlServerUrl, natsServerUrl } from './test-servers.ts';
export {
  dropDatabases,
  ensureDatabase,
  freshDatabase,
  startMariaDb,
  type ThrowawayServer,
} from './throwaway-mariadb.ts';
export { startNats } from './throwaway-nats.ts';
