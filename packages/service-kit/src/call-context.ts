import { type CallOptions, createContextKey, createContextValues, type HandlerContext } from '@connectrpc/connect';
import { DomainError, type ExecSpanContext, type Uid } from '@spanwise/kernel';

/** The user for whom a call is made. */
export interface Identity {
  readonly uid: Uid;
  /** Empty when not known. */
  readonly email: string;
  /** The user's own token, for remote disks that ask for it; empty when there is none. Never logged or stored. */
  readonly token: string;
  /** Name of the service that calls; absent for a client. Each service names itself: it is never passed on. */
  readonly service?: string;
}

/** What travels with every call between services, in headers: who it is for and where in the trace it happens. */
export interface CallContext {
  readonly identity?: Identity;
  readonly span?: ExecSpanContext;
}

export const callContextKey = createContextKey<CallContext>({}, { description: 'spanwise call context' });

/** Options of a client call that carry the context on. */
export function callOptions(call: CallContext, signal?: AbortSignal): CallOptions {
  const contextValues = createContextValues().set(callContextKey, call);
  return signal === undefined ? { contextValues } : { contextValues, signal };
}

/** Who a handler's call is for. Throws UNAUTHENTICATED when the call names nobody. */
export function requireIdentity(context: Pick<HandlerContext, 'values'>): Identity {
  const { identity } = context.values.get(callContextKey);
  if (identity === undefined) {
    throw unauthenticated();
  }
  return identity;
}

/** The one answer to every failed authentication, whatever was wrong; the cause stays in logs. */
export function unauthenticated(cause?: unknown): DomainError {
  return new DomainError(
    'unauthenticated',
    'UNAUTHENTICATED',
    'No valid credentials: sign in and send a fresh token.',
    {
      cause,
    },
  );
}
