import { createClient } from '@connectrpc/connect';
import { Health, HealthCheckResponse_ServingStatus as Status } from '@spanwise/contracts/grpc/health/v1/health';
import { createInternalTransport } from '@spanwise/service-kit';
import { Telemetry } from '@spanwise/telemetry';

const telemetry = new Telemetry({ service: 'faults', env: {} });
const timeoutMs = 1000;

/** Asks a process for its health, over a connection of its own. */
export class ReadinessProbe implements Disposable {
  readonly #transport;
  readonly #health;

  constructor(port: number) {
    const baseUrl = `http://127.0.0.1:${port}`;
    this.#transport = createInternalTransport({ baseUrl, telemetry, pingIntervalMs: 2000, pingTimeoutMs: 1000 });
    this.#health = createClient(Health, this.#transport);
  }

  /** Whether it says SERVING within a second. */
  async isServing(): Promise<boolean> {
    const { status } = await this.#health
      .check({ service: '' }, { timeoutMs })
      .catch(() => ({ status: Status.UNKNOWN }));
    return status === Status.SERVING;
  }

  [Symbol.dispose](): void {
    this.#transport[Symbol.dispose]();
  }
}
