import { DomainError } from '@spanwise/kernel';
import { z } from 'zod';
import { VirtualPath } from '../../../domain/path/virtual-path.ts';

const variable = z.string().regex(/^[A-Z_][A-Z0-9_]*$/i);
const name = z.string().regex(/^[a-z0-9][a-z0-9._-]{1,254}$/i);

const endpoint = z.string().superRefine((text, context) => {
  const flaw = flawOfEndpoint(text);
  if (flaw !== undefined) {
    context.addIssue({ code: 'custom', message: flaw });
  }
});

const root = z.string().transform((text, context) => {
  try {
    return VirtualPath.parse(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof DomainError ? error.message : 'not a path' });
    return z.NEVER;
  }
});

const shared = {
  kind: z.literal('object'),
  root: root.default(VirtualPath.root),
  timeout_ms: z.int().min(100).max(600_000).default(30_000),
};

/** What can be said of a disk. Secrets are named by the variables that hold them; without them the driver looks for some. */
export const objectSettings = z.discriminatedUnion('service', [
  z.strictObject({
    ...shared,
    service: z.literal('s3'),
    bucket: name,
    region: z.string().min(1).optional(),
    endpoint: endpoint.optional(),
    access_key_id_env: variable.optional(),
    secret_access_key_env: variable.optional(),
    session_token_env: variable.optional(),
  }),
  z.strictObject({
    ...shared,
    service: z.literal('gcs'),
    bucket: name,
    endpoint: endpoint.optional(),
    credential_env: variable.optional(),
  }),
  z.strictObject({
    ...shared,
    service: z.literal('azblob'),
    bucket: name,
    endpoint,
    account_name: name,
    account_key_env: variable.optional(),
    sas_token_env: variable.optional(),
  }),
  z.strictObject({
    ...shared,
    service: z.literal('webdav'),
    endpoint,
    username: z.string().min(1).optional(),
    password_env: variable.optional(),
    token_env: variable.optional(),
  }),
]);

export type ObjectSettings = z.infer<typeof objectSettings>;

/** The driver's options by its own names. Throws INVALID_FIELD, naming the variable, when a secret is not set. */
export function driverOptions(
  settings: ObjectSettings,
  secret: (variable: string) => string | undefined,
): Record<string, string> {
  const of = (setting: string, variable: string | undefined) => {
    const value = variable === undefined ? undefined : secret(variable);
    if (variable !== undefined && value === undefined) {
      throw invalidSetting(`the variable ${variable} of ${setting} is not set`);
    }
    return value;
  };
  switch (settings.service) {
    case 's3': {
      const { bucket, region, endpoint: address } = settings;
      const access = {
        access_key_id: of('access_key_id_env', settings.access_key_id_env),
        secret_access_key: of('secret_access_key_env', settings.secret_access_key_env),
        session_token: of('session_token_env', settings.session_token_env),
      };
      if ((access.access_key_id === undefined) !== (access.secret_access_key === undefined)) {
        throw invalidSetting('access_key_id_env and secret_access_key_env go together');
      }
      return {
        ...given({ bucket, region, endpoint: address, ...access }),
        ...alone(access.access_key_id, 'disable_ec2_metadata'),
      };
    }
    case 'gcs': {
      const credential = of('credential_env', settings.credential_env);
      const { bucket, endpoint: address } = settings;
      return { ...given({ bucket, endpoint: address, credential }), ...alone(credential, 'disable_vm_metadata') };
    }
    case 'azblob': {
      const { bucket: container, endpoint: address, account_name } = settings;
      const account_key = of('account_key_env', settings.account_key_env);
      const sas_token = of('sas_token_env', settings.sas_token_env);
      return given({ container, endpoint: address, account_name, account_key, sas_token });
    }
    case 'webdav': {
      const password = of('password_env', settings.password_env);
      const token = of('token_env', settings.token_env);
      return given({ endpoint: settings.endpoint, username: settings.username, password, token });
    }
  }
}

export function invalidSetting(what: string): DomainError {
  return new DomainError('invalid', 'INVALID_FIELD', what);
}

/** With credentials of its own the driver looks for no others, neither in files nor at the machine's metadata service. */
function alone(credential: string | undefined, metadata: string): Record<string, string> {
  return credential === undefined ? {} : { disable_config_load: 'true', [metadata]: 'true' };
}

function given(options: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(options).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}

function flawOfEndpoint(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    return 'must be an http or https URL';
  }
  return url.username !== '' || url.password !== '' || /[?#]/.test(text)
    ? 'must not hold a user, password, query or fragment'
    : undefined;
}
