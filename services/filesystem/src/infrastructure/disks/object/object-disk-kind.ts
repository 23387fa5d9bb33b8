import type { Operator } from 'opendal';
import type { DiskKind } from '../disk-kind.ts';
import { ObjectDisk } from './object-disk.ts';
import { ObjectKeys } from './object-keys.ts';
import { driverOptions, invalidSetting, type ObjectSettings, objectSettings } from './object-settings.ts';
import { ObjectStore } from './object-store.ts';

/** How long a start waits for a store; one that takes longer is looked at when it is used. */
const maxProbeMs = 10_000;

/** `kind: object`: objects of a store whose keys begin with `root`. */
export const objectDiskKind: DiskKind = {
  kind: 'object',
  settings: objectSettings.transform((settings) => async ({ name, ids, secret }) => {
    const store = await openObjectStore(name, settings, secret);
    const disk = new ObjectDisk({ store, keys: new ObjectKeys(settings.root), ids, probeTimeoutMs: maxProbeMs });
    await disk.probe();
    return disk;
  }),
};

/** The store that settings name. Throws INVALID_FIELD when the driver can not use them. */
export async function openObjectStore(
  name: string,
  settings: ObjectSettings,
  secret: (variable: string) => string | undefined,
): Promise<ObjectStore> {
  const { service, timeout_ms: timeoutMs } = settings;
  const operator = await operatorOf(service, driverOptions(settings, secret), timeoutMs);
  return new ObjectStore({ name, operator, timeoutMs });
}

/**
 * The driver is 40 MB of native code, which only those load who have such a disk. Its root stays the store's: it cuts keys at
 * it without looking whether they begin with it.
 */
async function operatorOf(service: string, options: Record<string, string>, timeoutMs: number): Promise<Operator> {
  const driver = await import('opendal');
  const timeouts = new driver.TimeoutLayer();
  timeouts.timeout = timeoutMs;
  timeouts.ioTimeout = timeoutMs;
  try {
    return new driver.Operator(service, { ...options, root: '/' }).layer(timeouts.build());
  } catch {
    // What the driver says may repeat what it was given.
    throw invalidSetting(`${service} can not be used with these settings; s3 needs a region, here or in AWS_REGION`);
  }
}
