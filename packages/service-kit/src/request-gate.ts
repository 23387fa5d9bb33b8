import type { HandlerContext } from '@connectrpc/connect';
import { DomainError } from '@spanwise/kernel';
import { parseTraceparent } from '@spanwise/telemetry';
import type { Authenticate } from './authenticate.ts';
import { callContextKey } from './call-context.ts';
import { toConnectError } from './connect-errors.ts';

/** The longest deadline that a caller may set: 24 hours. */
export const maxTimeoutMs = 24 * 60 * 60 * 1000;

const timeoutUnitsMs: Readonly<Record<string, number>> = { H: 3.6e6, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/**
 * Runs before the body of a request is read: reads the deadline, authenticates and sets the call context. Health and
 * reflection need no identity.
 */
export function requestGate(authenticate: Authenticate, trustsTraceparent: boolean) {
  return async (context: HandlerContext): Promise<void> => {
    try {
      assertDeadline(context.requestHeader);
      const isOpen = context.service.typeName.startsWith('grpc.');
      const identity = isOpen ? undefined : await authenticate(context.requestHeader);
      const span = trustsTraceparent ? parseTraceparent(context.requestHeader.get('traceparent')) : undefined;
      context.values.set(callContextKey, {
        ...(identity === undefined ? {} : { identity }),
        ...(span === undefined ? {} : { span }),
      });
    } catch (error) {
      throw toConnectError(error);
    }
  };
}

function assertDeadline(headers: Headers): void {
  const grpc = headers.get('grpc-timeout');
  const connect = headers.get('connect-timeout-ms');
  const [, digits = '', unit = ''] = /^(\d{1,8})([HMSmun])$/.exec(grpc ?? `${connect ?? 0}m`) ?? [];
  const timeoutMs = digits === '' ? Number.NaN : Number(digits) * (timeoutUnitsMs[unit] ?? Number.NaN);
  if (!(timeoutMs <= maxTimeoutMs)) {
    throw new DomainError('invalid', 'INVALID_DEADLINE', 'The deadline can not be read or is over 24 hours.', {
      facts: { max_ms: maxTimeoutMs },
    });
  }
}
