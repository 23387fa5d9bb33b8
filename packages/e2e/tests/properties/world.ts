import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SpanwiseClient, SpanwiseError } from '@spanwise/client';
import { BusyPolicy, type Run, RunStatus } from '@spanwise/contracts/spanwise/session/v1/session';
import type { EmbeddedStackOptions } from '@spanwise/dev-stack';
import { expect } from 'vitest';
import { enumName } from './enum-name.ts';
import { type Follower, type FollowRequest, followByHand, followWithSdk } from './follower.ts';
import { HeldModel } from './held-model.ts';
import { inputOf, type Plan } from './plan.ts';
import type { KnownRun, KnownSession, Status } from './run-reducer.ts';
import { comes } from './soon.ts';
import type { StackHost } from './stack-host.ts';

/** An unknown id that is well formed. */
export const unknownId = '01890000-0000-7000-8000-000000000001';

export interface StartRequest {
  readonly sessionId: string;
  readonly requestId: string;
  readonly plan: Plan;
  readonly policy?: BusyPolicy;
}

/** The system under test: a stack, its model, and all that watches it. */
export class World implements AsyncDisposable {
  readonly model: HeldModel;
  readonly host: StackHost;
  followers: Follower[] = [];
  #client: SpanwiseClient;
  #resources: AsyncDisposableStack;
  #tags = 0;

  private constructor(model: HeldModel, host: StackHost, resources: AsyncDisposableStack) {
    this.model = model;
    this.host = host;
    this.#resources = resources;
    this.#client = new SpanwiseClient({ baseUrl: host.url, uid: 'alice' });
  }

  static async start(startHost: (options: EmbeddedStackOptions) => Promise<StackHost>): Promise<World> {
    await using resources = new AsyncDisposableStack();
    const dataDir = mkdtempSync(join(tmpdir(), 'spanwise-properties-'));
    resources.defer(() => rmSync(dataDir, { recursive: true, force: true }));
    const model = resources.use(await HeldModel.start());
    const env = { SPANWISE_MODEL_BASE_URL: model.baseUrl, OPENAI_API_KEY: 'none', SPANWISE_LOG_LEVEL: 'silent' };
    const host = resources.use(await startHost({ dataDir, env }));
    return new World(model, host, resources.move());
  }

  get sessions(): SpanwiseClient['sessions'] {
    return this.#client.sessions;
  }

  /** A name that no run had before. */
  newTag(): string {
    this.#tags += 1;
    return `run-${this.#tags}`;
  }

  async restart(): Promise<void> {
    await this.host.restart();
    // Calls are made once: one on a connection of the stack before would be lost. Followers find the way by themselves.
    this.#client = new SpanwiseClient({ baseUrl: this.host.url, uid: 'alice' });
  }

  start({ sessionId, requestId, plan, policy = BusyPolicy.UNSPECIFIED }: StartRequest) {
    const input = [{ parts: [{ part: { case: 'text' as const, value: inputOf(plan) } }] }];
    return this.sessions.startRun({ sessionId, requestId, input, busyPolicy: policy });
  }

  async run({ id: sessionId }: KnownSession, { id: runId }: KnownRun): Promise<Run> {
    const { run } = await this.sessions.getRun({ sessionId, runId });
    return run ?? expect.unreachable('GetRun answers a run');
  }

  /** Reads a run, and compares it with what is known. */
  async look(session: KnownSession, known: KnownRun): Promise<Run> {
    const run = await this.run(session, known);
    session.saw(known, statusOf(run), run.cancelRequested);
    return run;
  }

  follow(request: FollowRequest, withSdk: boolean): void {
    this.followers.push((withSdk ? followWithSdk : followByHand)(this.host.url, request));
  }

  /** Gives a run the time to come to the next gate of its model, to its end, or to where it waits. */
  async settle(session: KnownSession, known: KnownRun): Promise<void> {
    await comes(async () => {
      const { status } = await this.run(session, known);
      return status === RunStatus.RUNNING ? this.model.holds(known.plan.tag) : status !== RunStatus.FINISHING;
    }, 1000);
  }

  /** Ends what one sequence of commands has left. */
  async leave(): Promise<void> {
    await Promise.all(this.followers.map((follower) => follower.leave()));
    this.followers = [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave();
    await this.#resources.disposeAsync();
  }
}

export function statusOf({ status }: { readonly status: RunStatus }): Status {
  return enumName(RunStatus, status) as Status;
}

/** What a call came to: its answer, or the reason and the facts of its refusal. */
export type Outcome<Response> =
  | { readonly response: Response; readonly reason?: undefined }
  | { readonly response?: undefined; readonly reason: string; readonly facts: Readonly<Record<string, string>> };

export async function outcomeOf<Response>(call: Promise<Response>): Promise<Outcome<Response>> {
  try {
    return { response: await call };
  } catch (error) {
    const { reason, facts } = SpanwiseError.from(error);
    return { reason, facts };
  }
}
