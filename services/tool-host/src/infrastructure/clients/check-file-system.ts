import { createClient, type Transport } from '@connectrpc/connect';
import { Health, HealthCheckResponse_ServingStatus as Status } from '@spanwise/contracts/grpc/health/v1/health';
import { FileSystemService } from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import type { IdGenerator } from '@spanwise/kernel';
import { callOptions } from '@spanwise/service-kit';
import { fileError } from '../../domain/files/file-errors.ts';

const timeoutMs = 1000;

/** Asks whether the file service serves; rejects while it does not. Leaves no trace: it is asked every few seconds. */
export function checkFileSystem(transport: Transport, ids: IdGenerator): () => Promise<void> {
  const health = createClient(Health, transport);
  return async () => {
    const span = { span: { id: ids.spanId(), par: '' }, traceId: ids.traceId(), traceFlags: 0 };
    const { status } = await health.check(
      { service: FileSystemService.typeName },
      { ...callOptions({ span }), timeoutMs },
    );
    if (status !== Status.SERVING) {
      throw fileError('DISK_UNAVAILABLE', {});
    }
  };
}
