import { brandId, type ExecSpanContext } from '@spanwise/kernel';
import { attribute } from '@spanwise/telemetry';
import { fakeIds } from '@spanwise/testing';
import { AskModel } from '../../src/application/ask-model.ts';
import { ExecuteCalls } from '../../src/application/execute-calls.ts';
import { stallLimits } from '../../src/application/read-parts.ts';
import { retryLimits } from '../../src/application/retry-policy.ts';
import { RunAgent } from '../../src/application/run-agent.ts';
import { TakeTurn } from '../../src/application/take-turn.ts';
import type { Agent } from '../../src/domain/agent/agent.ts';
import { agentNotFound } from '../../src/domain/agent/agent-errors.ts';
import { type Message, role } from '../../src/domain/message/message.ts';
import type { RunDispatch } from '../../src/domain/run/run-dispatch.ts';
import { runCancelled } from '../../src/domain/run/run-errors.ts';
import type { RunOutcome } from '../../src/domain/run/run-outcome.ts';
import type { ScriptedAnswer } from '../../src/infrastructure/model-providers/scripted/script.ts';
import { ScriptedModelProvider } from '../../src/infrastructure/model-providers/scripted/scripted-model-provider.ts';
import { type Acknowledge, MemoryJournal } from './memory-journal.ts';
import { type MemoryTool, MemoryToolHost } from './memory-tool-host.ts';
import { assertRunInvariants } from './run-invariants.ts';
import { VirtualTime } from './virtual-time.ts';

export const runId = '00000000-0000-7000-8000-0000000000aa';
export const rootSpan: ExecSpanContext = {
  span: { id: 'aaaaaaaaaaaaaaaa', par: '' },
  traceId: 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb',
  traceFlags: 1,
};

export interface RunWorldOptions {
  /** What the model answers, request by request. */
  readonly script: readonly ScriptedAnswer[];
  readonly tools?: readonly MemoryTool[];
  readonly agent?: Partial<Agent>;
  readonly dispatch?: Partial<RunDispatch>;
  readonly history?: readonly Message[];
  readonly acknowledge?: Acknowledge;
}

/** One run on in-memory ends: what it is told, and what becomes of it. */
export class RunWorld {
  readonly time = new VirtualTime();
  readonly journal: MemoryJournal;
  readonly toolHost: MemoryToolHost;
  readonly model: ScriptedModelProvider;
  readonly openedViews: string[] = [];
  readonly ended: RunOutcome[] = [];
  readonly history: readonly Message[];
  readonly #agent: Agent;
  readonly #dispatch: RunDispatch;
  readonly #ids = fakeIds();
  readonly #stop = new AbortController();

  constructor({ script, tools = [], agent, dispatch, history = [userMessage('hello')], acknowledge }: RunWorldOptions) {
    this.journal = new MemoryJournal(acknowledge);
    this.toolHost = new MemoryToolHost({ ids: this.#ids, tools });
    this.model = new ScriptedModelProvider(script);
    this.history = history;
    this.#agent = { ...defaultAgent, ...agent };
    this.#dispatch = { ...firstDispatch, ...dispatch };
  }

  /** Runs to the end and checks what has to be true of every run. */
  async run(): Promise<RunOutcome> {
    const outcome = await this.start();
    assertRunInvariants(this);
    return outcome;
  }

  /** Runs to the end; nothing is checked. */
  start(): Promise<RunOutcome> {
    const context = { load: async () => this.history };
    return this.#runAgent().execute(this.#dispatch, { context, journal: this.journal }, this.#stop.signal);
  }

  cancel(): void {
    this.#stop.abort(runCancelled('the test says so'));
  }

  #runAgent(): RunAgent {
    const { time, toolHost, openedViews, ended } = this;
    const ids = this.#ids;
    const random = () => 0;
    const askModel = new AskModel({ ids, clock: time, timers: time, random, attribute, stallLimits, retryLimits });
    return new RunAgent({
      agents: {
        list: () => [this.#agent],
        get: (name) => {
          if (name !== this.#agent.name) {
            throw agentNotFound(name);
          }
          return this.#agent;
        },
      },
      modelProviders: [this.model],
      toolHost,
      views: { open: async (run) => void openedViews.push(run.runId) },
      takeTurn: new TakeTurn({ askModel, executeCalls: new ExecuteCalls({ toolHost }), attribute, ids }),
      reports: { ended: (_dispatch, outcome) => void ended.push(outcome) },
      ids,
      clock: time,
      timers: time,
    });
  }
}

export function userMessage(text: string, id = '00000000-0000-7000-8000-0000000000bb'): Message {
  return { id, role: role.user, runId, parts: [{ part: { case: 'text', value: { text } } }] };
}

const defaultAgent: Agent = {
  name: 'default',
  description: 'For tests.',
  instructions: 'You are {{agent}}. Today is {{date}}.',
  model: 'test-model',
  tools: { allow: 'all', deny: [] },
  limits: { maxTurns: 10, timeoutMs: 600_000, maxOutputTokens: 1000 },
};

const firstDispatch: RunDispatch = {
  sessionId: brandId('00000000-0000-7000-8000-0000000000cc'),
  runId: brandId(runId),
  epoch: 1n,
  attempt: 1,
  identity: { uid: brandId('ann'), email: 'ann@example.org', token: 'secret' },
  span: rootSpan,
  agent: 'default',
  model: '',
  maxTurns: 0,
  toolsAllow: [],
  toolsDeny: [],
  deadlineMs: undefined,
};
