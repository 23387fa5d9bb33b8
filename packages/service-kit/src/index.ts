export {
  type Authenticate,
  forwardedAuthenticate,
  insecureDevAuthenticate,
  type JwtOptions,
  jwtAuthenticate,
} from './authenticate.ts';
export {
  type CallContext,
  callContextKey,
  callOptions,
  type Identity,
  requireIdentity,
  unauthenticated,
} from './call-context.ts';
export {
  codeOf,
  errorDomain,
  errorInfoOf,
  reasonName,
  reasonNumber,
  toConnectError,
  toDomainError,
} from './connect-errors.ts';
export { badSetting, type Environment, EnvironmentReader } from './environment.ts';
export {
  createInternalTransport,
  type InternalTransport,
  type InternalTransportOptions,
} from './internal-transport.ts';
export { reachableUrl } from './reachable-url.ts';
export { type Migratable, type RunningService, runMigrations, runService, stopSignal } from './run-service.ts';
export {
  defaultLimits,
  internalMaxStreams,
  type RunningServer,
  type ServeOptions,
  type ServerLimits,
  serve,
} from './serve.ts';
export { SafeSessionManager } from './session-manager.ts';
