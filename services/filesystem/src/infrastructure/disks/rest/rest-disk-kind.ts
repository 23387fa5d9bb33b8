import { DomainError } from '@spanwise/kernel';
import { z } from 'zod';
import type { DiskHost, DiskKind } from '../disk-kind.ts';
import { flawOfBaseUrl, RestAddress } from './rest-address.ts';
import { isToken, type RestAuth } from './rest-auth.ts';
import { RestConnection } from './rest-connection.ts';
import { RestDisk } from './rest-disk.ts';

const baseUrl = z.string().superRefine((text, context) => {
  const flaw = flawOfBaseUrl(text);
  if (flaw !== undefined) {
    context.addIssue({ code: 'custom', message: flaw });
  }
});

const shared = {
  kind: z.literal('rest'),
  base_url: baseUrl,
  if_match: z.boolean().default(false),
  create_only: z.boolean().default(false),
  read_only: z.boolean().default(false),
  timeout_ms: z.int().min(100).max(600_000).default(30_000),
};

/** A token comes from the environment, and only where one of the service is sent. */
const settings = z.discriminatedUnion('auth', [
  z.strictObject({ ...shared, auth: z.enum(['forward_user', 'none']) }),
  z.strictObject({ ...shared, auth: z.literal('service'), token_env: z.string().regex(/^[A-Z_][A-Z0-9_]*$/i) }),
]);

/** `kind: rest`: files at an HTTP file API, as rest-disk.openapi.yaml has it, below `base_url`. */
export const restDiskKind: DiskKind = {
  kind: 'rest',
  settings: settings.transform((set) => async (host) => {
    const { name, clock } = host;
    const address = new RestAddress(set.base_url);
    const auth = set.auth === 'service' ? serviceAuth(host, set.token_env) : { kind: set.auth };
    return new RestDisk({
      name,
      address,
      connection: new RestConnection({ name, origin: address.origin, auth, timeoutMs: set.timeout_ms, clock }),
      abilities: { ifMatch: set.if_match, createOnly: set.create_only, isReadOnly: set.read_only },
    });
  }),
};

function serviceAuth({ secret }: DiskHost, variable: string): RestAuth {
  const token = secret(variable);
  if (token === undefined || !isToken(token)) {
    const what = token === undefined ? 'is not set' : 'holds no bearer token';
    throw new DomainError('invalid', 'INVALID_FIELD', `the variable ${variable} of token_env ${what}`);
  }
  return { kind: 'service', token };
}
