import type { ToolOutcome } from '@spanwise/contracts/spanwise/type/v1/message';
import type { RunningService } from '@spanwise/service-kit';
import { silentLogger, Telemetry } from '@spanwise/telemetry';
import { createAgentRuntimeService } from '../../src/composition-root.ts';
import { readAgentRuntimeConfig } from '../../src/config.ts';
import { chunks, done, type ModelReply, type ModelServer, startModelServer } from './model-server.ts';
import { type PeerServices, startPeerServices } from './peer-services.ts';
import { runtimeClient, type TestDriver } from './test-driver.ts';

/** A short answer. */
export const answer: ModelReply = { body: [chunks({ content: 'Hel' }, { content: 'lo.' }, 'stop'), done] };
/** An answer that does not go on. */
export const hanging: ModelReply = { body: [chunks({ content: 'Hel' })], ending: 'open' };

/** An answer that asks for calls of the named tools. */
export function asking(
  ...tools: readonly (string | { readonly name: string; readonly arguments: string })[]
): ModelReply {
  const calls = tools.map((tool, index) => {
    const named = typeof tool === 'string' ? { name: tool, arguments: '{}' } : tool;
    return { tool_calls: [{ index, id: `call_${index}`, type: 'function', function: named }] };
  });
  return { body: [chunks(...calls, 'tool_calls'), done] };
}

/** The real service between a model, its peers and drivers, all over real connections. */
export interface ServiceWorld extends AsyncDisposable {
  readonly model: ModelServer;
  readonly peers: PeerServices;
  readonly service: RunningService;
  readonly client: ReturnType<typeof runtimeClient>;
  /** What the bus would call. */
  readonly announceCancel: (id: string) => boolean;
}

/** Starts all of it; the model answers the n-th request with the n-th reply. */
export async function startServiceWorld(...replies: readonly ModelReply[]): Promise<ServiceWorld> {
  await using starting = new AsyncDisposableStack();
  const model = starting.use(await startModelServer(...replies));
  const peers = starting.use(await startPeerServices());
  const telemetry = starting.use(new Telemetry({ service: 'driver', env: {} }));
  let announceCancel: ServiceWorld['announceCancel'] = () => false;
  const cancelListener = {
    listen(onCancel: ServiceWorld['announceCancel']) {
      announceCancel = onCancel;
      return { async [Symbol.asyncDispose]() {} };
    },
  };
  const config = {
    ...readAgentRuntimeConfig({ SPANWISE_MODEL_BASE_URL: model.url, SPANWISE_PORT: '0' }),
    toolHostUrl: peers.url,
    filesystemUrl: peers.url,
    drainMs: 200,
  };
  const overrides = { cancelListener, logger: silentLogger, random: () => 0 };
  const service = starting.use(await createAgentRuntimeService(config, overrides));
  const resources = starting.move();
  return {
    model,
    peers,
    service,
    client: runtimeClient(service.server.url, telemetry),
    announceCancel: (id) => announceCancel(id),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** How the calls of a run ended, in the order in which it was told. */
export function outcomesOf({ events }: TestDriver): readonly ToolOutcome[] {
  return events.flatMap(({ data }) => (data.case === 'toolResult' ? [data.value.outcome] : []));
}
