import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ServiceImpl } from '@connectrpc/connect';
import type { DiskUsageSchema, FileSystemService } from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import { requireIdentity } from '@spanwise/service-kit';
import type { DiskUsage, GetUsage } from '../application/get-usage.ts';

export interface UsageHandlersDeps {
  readonly getUsage: GetUsage;
}

/** What a user has on disks. */
export function usageHandlers({
  getUsage,
}: UsageHandlersDeps): Pick<ServiceImpl<typeof FileSystemService>, 'getUsage'> {
  return {
    async getUsage({ viewId }, context) {
      return { disks: (await getUsage.execute(requireIdentity(context), { viewId })).map(toDiskUsage) };
    },
  };
}

function toDiskUsage({ disk, quota, ...usage }: DiskUsage): MessageInitShape<typeof DiskUsageSchema> {
  return {
    disk,
    bytes: BigInt(usage.bytes),
    files: BigInt(usage.files),
    reservedBytes: BigInt(usage.reservedBytes),
    reservedFiles: BigInt(usage.reservedFiles),
    maxBytes: BigInt(quota.maxBytes ?? 0),
    maxFiles: BigInt(quota.maxFiles ?? 0),
  };
}
