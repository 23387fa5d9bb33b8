import { SpanwiseClient } from '@spanwise/client';
import { type DistributedStack, startDistributedStack } from '@spanwise/dev-stack';
import { dropDatabases, mysqlServerUrl, startNats, startScriptedModel } from '@spanwise/testing';
import { testModel } from './scripts.ts';

/** Two replicas of session and agent-runtime on MySQL and NATS, and a client of each replica of session. */
export interface ReplicaPair extends AsyncDisposable {
  readonly stack: DistributedStack;
  readonly here: SpanwiseClient;
  readonly there: SpanwiseClient;
  /** Ends the broker, before all else. */
  stopBroker(): Promise<void>;
}

export interface ReplicaPairOptions {
  /** Of the databases; unique. */
  readonly name: string;
  /** Between two deltas of the model. */
  readonly deltaMs: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts processes, on databases and a broker of their own. */
export async function startReplicaPair({ name, deltaMs, env }: ReplicaPairOptions): Promise<ReplicaPair> {
  await using resources = new AsyncDisposableStack();
  const databaseServerUrl = mysqlServerUrl ?? '';
  const databasePrefix = `spanwise_${name}_${process.pid}_${Date.now().toString(36)}`;
  resources.defer(() => dropDatabases(databaseServerUrl, databasePrefix));
  const [model, nats] = await Promise.all([startScriptedModel(testModel, { deltaMs }), startNats()]);
  resources.use(model);
  const stopBroker = async () => nats?.[Symbol.asyncDispose]();
  resources.defer(stopBroker);
  const stack = resources.use(
    await startDistributedStack({
      ...{ databaseServerUrl, databasePrefix, natsUrl: nats?.url ?? '' },
      env: {
        ...env,
        SPANWISE_MODEL_BASE_URL: model.baseUrl,
        OPENAI_API_KEY: 'none',
        SPANWISE_LOG_LEVEL: 'error',
      },
    }),
  );
  const [here, there] = stack.sessions.map(({ url }) => new SpanwiseClient({ baseUrl: url, uid: 'alice' })) as [
    SpanwiseClient,
    SpanwiseClient,
  ];
  const owned = resources.move();
  return { stack, here, there, stopBroker, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
