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
      const service = context.service.typeName;
      const isOpen = service.startsWith('grpc.');
      const identity = isOpen ? undefined : await authenticate(context.requestHeader, service);
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

/** Whether a deadline can be read and is not longer than allowed. Without a header there is none. */
export function isDeadlineValid(
  grpcTimeout: string | null | undefined,
  connectTimeoutMs: string | null | undefined,
): boolean {
  const [, digits = '', unit = ''] = /^(\d{1,10})([HMSmun])$/.exec(grpcTimeout ?? `${connectTimeoutMs ?? 0}m`) ?? [];
  return digits !== '' && Number(digits) * (timeoutUnitsMs[unit] ?? Number.NaN) <= maxTimeoutMs;
}

function assertDeadline(headers: Headers): void {
  if (!isDeadlineValid(headers.get('grpc-timeout'), headers.get('connect-timeout-ms'))) {
    throw new DomainError('invalid', 'INVALID_DEADLINE', 'The deadline can not be read or is over 24 hours.', {
      facts: { max_ms: maxTimeoutMs },
    });
  }
}
