import { expect, test } from 'vitest';
import { driverOptions, objectSettings } from './object-settings.ts';

const secrets = new Map([
  ['KEY_ID', 'id'],
  ['SECRET', 'secret'],
]);

function optionsOf(settings: Readonly<Record<string, unknown>>): Record<string, string> {
  return driverOptions(objectSettings.parse({ kind: 'object', ...settings }), (variable) => secrets.get(variable));
}

test('takes credentials from the variables that are named, and then looks for no others', () => {
  const access = { access_key_id_env: 'KEY_ID', secret_access_key_env: 'SECRET' };
  expect([
    optionsOf({ service: 's3', bucket: 'files', region: 'eu-central-1', ...access }),
    optionsOf({ service: 's3', bucket: 'files', endpoint: 'http://127.0.0.1:9000' }),
    optionsOf({ service: 'gcs', bucket: 'files', credential_env: 'SECRET' }),
    optionsOf({
      service: 'azblob',
      bucket: 'files',
      endpoint: 'https://x',
      account_name: 'me',
      account_key_env: 'SECRET',
    }),
    optionsOf({ service: 'webdav', endpoint: 'https://x/dav', username: 'me', password_env: 'SECRET' }),
  ]).toEqual([
    {
      bucket: 'files',
      region: 'eu-central-1',
      access_key_id: 'id',
      secret_access_key: 'secret',
      disable_config_load: 'true',
      disable_ec2_metadata: 'true',
    },
    { bucket: 'files', endpoint: 'http://127.0.0.1:9000' },
    { bucket: 'files', credential: 'secret', disable_config_load: 'true', disable_vm_metadata: 'true' },
    { container: 'files', endpoint: 'https://x', account_name: 'me', account_key: 'secret' },
    { endpoint: 'https://x/dav', username: 'me', password: 'secret' },
  ]);
});

test.each([
  [
    'a variable that is not set',
    { service: 's3', bucket: 'files', access_key_id_env: 'NOT_SET' },
    'NOT_SET of access_key_id_env',
  ],
  ['half of a key', { service: 's3', bucket: 'files', access_key_id_env: 'KEY_ID' }, 'go together'],
  ['a secret in the place of its variable', { service: 's3', bucket: 'files', secret_access_key_env: 'se/cret' }, ''],
  ['no bucket', { service: 's3' }, ''],
  ['an unknown service', { service: 'fs', bucket: 'files' }, ''],
  ['another root than a path', { service: 's3', bucket: 'files', root: '/a/../b' }, 'has a .. segment'],
  ['an endpoint that is no address', { service: 's3', bucket: 'files', endpoint: 'file:///etc' }, 'http or https'],
])('refuses %s', (_, settings, message) => {
  expect(() => optionsOf(settings)).toThrow(message);
});
