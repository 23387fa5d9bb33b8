import type { AgentEvent } from '@spanwise/contracts/spanwise/event/v1/event';
import type { BusyPolicy } from '@spanwise/contracts/spanwise/session/v1/session';
import type { RecordedClient } from '../clients/recorded-client.ts';
import { followRun, followRunWithSdk, type RunSight } from '../clients/run-client.ts';
import type { RunScript, ScriptedTurn } from '../provider/run-script.ts';
import type { Random } from '../random.ts';
import type { ScenarioContext } from './scenario.ts';
import { drawsFiles, mixedTurns, scriptOf } from './scripts.ts';

/** Users of the load; each owns a part of the sessions. */
const uids = ['alice', 'bob', 'carol'] as const;
const runsPerSession = 3;

/** What is told of one run of the load while it goes on. */
export interface LoadRun {
  readonly client: RecordedClient;
  readonly sessionId: string;
  readonly script: RunScript;
  /** Resolves with the run's id once it is known. */
  readonly runId: Promise<string>;
  /** Resolves when the client has seen the n-th event (from 1) of this kind; never, when it does not come. */
  saw(kind: AgentEvent['data']['case'], count?: number): Promise<void>;
  readonly done: Promise<RunSight>;
}

export interface LoadOptions {
  readonly runs: number;
  /** Sessions at the same time. */
  readonly concurrency: number;
  /** What the model does in the run of this number (from 1), in a session whose runs may have files; default a mix. */
  readonly turns?: (random: Random, index: number, hasFiles: boolean) => readonly ScriptedTurn[];
  /** False: the run of this number (from 1) may end in any way. Default: all are meant to complete. */
  readonly isMeantToComplete?: (index: number) => boolean;
  /** Each run begins once this has resolved; default at once. */
  readonly untilBegin?: () => Promise<void>;
  /** Done for each run while it goes on; the next run of the session waits for it. */
  readonly during?: (run: LoadRun, random: Random) => Promise<void>;
  /** Share of runs that are followed through the SDK; default 0.3. */
  readonly sdkShare?: number;
}

/** Does many runs in many sessions, some at a time; resolves when each client has seen the end of its runs. */
export async function runLoad(context: ScenarioContext, options: LoadOptions): Promise<readonly RunSight[]> {
  const sights: RunSight[] = [];
  let begun = 0;
  const worker = async () => {
    while (begun < options.runs && !context.signal.aborted) {
      const number = context.outcome.nextNumber();
      const random = context.random.fork(`session-${number}`);
      const client = context.client(random.pick(uids));
      const place = { client, sessionId: await newSession(client), random, hasFiles: drawsFiles(random) };
      for (let of = 0; of < runsPerSession && begun < options.runs && !context.signal.aborted; of += 1) {
        begun += 1;
        sights.push(await doRun(context, options, { ...place, index: begun }));
      }
    }
  };
  const workers = Array.from({ length: Math.min(options.concurrency, options.runs) }, worker);
  const results = await Promise.allSettled(workers);
  for (const result of results) {
    if (result.status === 'rejected') {
      context.outcome.unmet.push(`a client was refused for good: ${String(result.reason)}`);
    }
  }
  return sights;
}

/** Opens a session, however often the service has to be asked. */
export async function newSession(client: RecordedClient): Promise<string> {
  const requestId = crypto.randomUUID();
  const { session } = await client.insist('CreateSession', (sessions, options) =>
    sessions.createSession({ title: 'faults', requestId }, options),
  );
  return session?.id ?? '';
}

interface Place {
  readonly client: RecordedClient;
  readonly sessionId: string;
  readonly random: Random;
  readonly hasFiles: boolean;
  readonly index: number;
}

async function doRun(context: ScenarioContext, options: LoadOptions, place: Place): Promise<RunSight> {
  const { turns = mixedTurns, isMeantToComplete = () => true, during, sdkShare = 0.3 } = options;
  const { random, client, sessionId, index, hasFiles } = place;
  await options.untilBegin?.();
  const script = scriptOf(random, context.outcome.nextNumber(), turns(random, index, hasFiles));
  if (isMeantToComplete(index)) {
    context.outcome.meant.add(script.id);
  }
  const run = beginRun(context, { client, sessionId, script, isThroughSdk: random.chance(sdkShare) });
  const [sight] = await Promise.all([run.done, during?.(run, random)]);
  return sight;
}

export interface BeginOptions {
  readonly client: RecordedClient;
  readonly sessionId: string;
  readonly script: RunScript;
  readonly isThroughSdk?: boolean;
  /** Default: refused while another run is active. */
  readonly busyPolicy?: BusyPolicy;
  readonly stayMs?: () => number;
}

/** Starts one run and follows it in the background. */
export function beginRun(context: ScenarioContext, options: BeginOptions): LoadRun {
  const { client, sessionId, script, isThroughSdk = false, busyPolicy, stayMs } = options;
  const counts = new Map<string | undefined, number>();
  const waiting: { readonly kind: string | undefined; readonly count: number; readonly resolve: () => void }[] = [];
  const { promise: runId, resolve: knowRun } = Promise.withResolvers<string>();
  const request = {
    ...{ client, sessionId, script, signal: context.signal },
    ...(stayMs === undefined ? {} : { stayMs }),
    ...(busyPolicy === undefined ? {} : { busyPolicy }),
    onRun: ({ id }: { readonly id: string }) => knowRun(id),
    onEvent({ data }: AgentEvent) {
      const count = (counts.get(data.case) ?? 0) + 1;
      counts.set(data.case, count);
      waiting.filter((each) => each.kind === data.case && each.count === count).forEach(({ resolve }) => resolve());
    },
  };
  const done = (
    isThroughSdk ? followRunWithSdk(request, context.cluster.sessionUrls.balanced) : followRun(request)
  ).then((sight) => {
    context.views.push(sight.view);
    return sight;
  });
  done.catch(() => undefined);
  return {
    ...{ client, sessionId, script, runId, done },
    saw(kind, count = 1) {
      return (counts.get(kind) ?? 0) >= count
        ? Promise.resolve()
        : new Promise((resolve) => waiting.push({ kind, count, resolve }));
    },
  };
}
