import { brandId, type ExecSpanContext, type IdGenerator } from '@spanwise/kernel';
import { attribute } from '@spanwise/telemetry';
import { fakeIds } from '@spanwise/testing';
import { noPolicy } from '@spanwise/tool-kit/contract';
import { AskModel } from '../../src/application/ask-model.ts';
import { ExecuteCall } from '../../src/application/execute-call.ts';
import { ExecuteCalls } from '../../src/application/execute-calls.ts';
import { Leave } from '../../src/application/leave.ts';
import { LeftExecutions } from '../../src/application/left-executions.ts';
import { stallLimits } from '../../src/application/read-parts.ts';
import { retryLimits } from '../../src/application/retry-policy.ts';
import { RunAgent } from '../../src/application/run-agent.ts';
import { TakeTurn } from '../../src/application/take-turn.ts';
import type { Agent } from '../../src/domain/agent/agent.ts';
import { agentNotFound } from '../../src/domain/agent/agent-errors.ts';
import { defaultDelegation } from '../../src/domain/delegation/delegation.ts';
import { callsOf, type Message, role } from '../../src/domain/message/message.ts';
import type { ModelRequest } from '../../src/domain/model/model-request.ts';
import type { RunDispatch } from '../../src/domain/run/run-dispatch.ts';
import { runCancelled } from '../../src/domain/run/run-errors.ts';
import type { RunOutcome } from '../../src/domain/run/run-outcome.ts';
import type { ScriptedAnswer } from '../../src/infrastructure/model-providers/scripted/script.ts';
import { ScriptedModelProvider } from '../../src/infrastructure/model-providers/scripted/scripted-model-provider.ts';
import { DialogueModel } from './dialogue-model.ts';
import { type Acknowledge, MemoryJournal } from './memory-journal.ts';
import { type MemoryTool, MemoryToolHost } from './memory-tool-host.ts';
import { assertRunInvariants, type DispatchRecord } from './run-invariants.ts';
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
  /** Plays the models of all agents, instead of the script. */
  readonly play?: (request: ModelRequest) => ScriptedAnswer;
  readonly agent?: Partial<Agent>;
  /** More agents, which differ from the run's. */
  readonly agents?: readonly Partial<Agent>[];
  readonly dispatch?: Partial<RunDispatch>;
  readonly history?: readonly Message[];
  readonly acknowledge?: Acknowledge;
  /** The world of the dispatch before this one: time, tool-host and log go on. */
  readonly earlier?: RunWorld;
}

/** What a later dispatch is told beyond what its log says. */
export interface AgainOptions extends Pick<RunWorldOptions, 'script' | 'acknowledge' | 'agent' | 'play'> {
  readonly dispatch?: Partial<RunDispatch>;
  /** Answers by call id, as JSON text; each answers the last interrupt of its call. */
  readonly answers?: Readonly<Record<string, string>>;
}

/** One dispatch of a run on in-memory ends: what it is told, and what becomes of it. */
export class RunWorld {
  readonly time: VirtualTime;
  readonly journal: MemoryJournal;
  readonly toolHost: MemoryToolHost;
  readonly model: ScriptedModelProvider;
  readonly leftExecutions = new LeftExecutions();
  readonly openedViews: string[] = [];
  /** Agents that have failed at what was delegated to them, and how. */
  readonly failedDelegates: string[] = [];
  readonly ended: RunOutcome[] = [];
  readonly history: readonly Message[];
  readonly #options: RunWorldOptions;
  readonly #agents: ReadonlyMap<string, Agent>;
  /** Answers instead of the script, if there is one. */
  readonly dialogues: DialogueModel | undefined;
  readonly #dispatch: RunDispatch;
  readonly #ids: IdGenerator;
  readonly #stop = new AbortController();
  readonly #leave: Leave;

  constructor(options: RunWorldOptions) {
    const {
      script,
      play,
      tools = [],
      agent,
      agents = [],
      dispatch,
      history = [userMessage('hello')],
      acknowledge,
      earlier,
    } = options;
    this.time = earlier?.time ?? new VirtualTime();
    this.journal = new MemoryJournal(acknowledge);
    this.#ids = earlier === undefined ? fakeIds() : earlier.#ids;
    this.toolHost = earlier?.toolHost ?? new MemoryToolHost({ ids: this.#ids, timers: this.time, tools });
    this.model = new ScriptedModelProvider(script);
    this.history = history;
    this.#options = options;
    this.dialogues = play === undefined ? undefined : new DialogueModel(play);
    const all = [{ ...defaultAgent, ...agent }, ...agents.map((each) => ({ ...defaultAgent, ...each }))];
    this.#agents = new Map(all.map((each) => [each.name, each]));
    this.#dispatch = { ...firstDispatch, ...dispatch };
    this.#leave = new Leave(this.time);
  }

  /** This dispatch and those before it, oldest first. */
  get dispatches(): readonly DispatchRecord[] {
    return [...(this.#options.earlier?.dispatches ?? []), { journal: this.journal, ended: this.ended }];
  }

  /** Runs to the end and checks what has to be true of every run. */
  async run(): Promise<RunOutcome> {
    const outcome = await this.start();
    assertRunInvariants(this);
    return outcome;
  }

  /** Runs to the end; nothing is checked. */
  async start(): Promise<RunOutcome> {
    using leave = this.#leave;
    const { earlier } = this.#options;
    const context = {
      load: async (threadId = '') => (threadId === '' ? this.history : (earlier?.storedThread(threadId) ?? [])),
    };
    const control = { signal: this.#stop.signal, leave };
    return await this.#runAgent().execute(this.#dispatch, { context, journal: this.journal }, control);
  }

  /** The next dispatch of the run, told what a driver knows from its log. */
  again({ answers = {}, dispatch, ...options }: AgainOptions): RunWorld {
    const journals = this.dispatches.map(({ journal }) => journal);
    const history = [...this.history, ...this.journal.messages];
    const stored = journals.flatMap(({ checkpoints }) => checkpoints.flatMap(({ messages }) => messages));
    const answered = new Set(
      stored.flatMap(({ parts }) => parts.map(({ part }) => (part.case === 'toolResult' ? part.value.callId : ''))),
    );
    const asked = new Set([...this.history, ...stored].flatMap(callsOf).map(({ callId }) => callId));
    const isOpen = (callId: string) => asked.has(callId) && !answered.has(callId);
    const said = journals.flatMap(({ events }) => events.map(({ data }) => data));
    const interrupts = said.flatMap((data) => (data.case === 'interrupt' ? [data.value.interrupt] : []));
    const [spec] = journals.flatMap(({ checkpoints }) => checkpoints.flatMap((checkpoint) => checkpoint.spec ?? []));
    const told: Partial<RunDispatch> = {
      epoch: this.#dispatch.epoch + 1n,
      attempt: this.#dispatch.attempt + 1,
      spec,
      results: said.flatMap((data) => (data.case === 'toolResult' && isOpen(data.value.callId) ? [data.value] : [])),
      turns: stored.filter((message) => message.role === role.assistant).length,
      answers: Object.entries(answers).flatMap(([callId, answerJson]) => {
        const interruptId = interrupts.findLast((interrupt) => interrupt.callId === callId)?.id ?? '';
        return [{ interruptId, callId, answerJson, expired: false, answeredBy: 'ann' }];
      }),
    };
    return new RunWorld({
      ...this.#options,
      ...options,
      history,
      dispatch: { ...this.#options.dispatch, ...told, ...dispatch },
      earlier: this,
    });
  }

  /** All that is stored of the dialogue of a delegate call. */
  storedThread(threadId: string): readonly Message[] {
    return this.dispatches.flatMap(({ journal }) => journal.thread(threadId));
  }

  /** Loses its driver, and with it everything that it says from now on. */
  loseDriver(): void {
    this.journal.isGone = true;
    this.cancel();
  }

  /** Asks it to leave within `graceMs`. */
  leave(graceMs: number): void {
    this.#leave.ask(graceMs);
  }

  cancel(): void {
    this.#stop.abort(runCancelled('the test says so'));
  }

  #runAgent(): RunAgent {
    const { time, toolHost, openedViews, ended, leftExecutions } = this;
    const ids = this.#ids;
    const random = () => 0;
    const askModel = new AskModel({ ids, clock: time, timers: time, random, attribute, stallLimits, retryLimits });
    const executeCall = new ExecuteCall({ toolHost, leftExecutions, clock: time, timers: time });
    return new RunAgent({
      agents: {
        list: () => [...this.#agents.values()],
        get: (name) => {
          const agent = this.#agents.get(name);
          if (agent === undefined) {
            throw agentNotFound(name);
          }
          return agent;
        },
      },
      modelProviders: [this.dialogues ?? this.model],
      toolHost,
      views: { open: async (run) => void openedViews.push(run.runId) },
      takeTurn: new TakeTurn({ askModel, executeCalls: new ExecuteCalls({ executeCall }), attribute, ids }),
      attribute,
      reports: {
        ended: (_dispatch, outcome) => void ended.push(outcome),
        delegateFailed: (_dispatch, agent, { reason }) => void this.failedDelegates.push(`${agent}: ${reason}`),
      },
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
  tools: { allow: 'all', deny: [], policy: noPolicy },
  limits: { maxTurns: 10, timeoutMs: 600_000, maxOutputTokens: 1000 },
  delegation: defaultDelegation,
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
  interactive: true,
  policy: noPolicy,
  deadlineMs: undefined,
  beginMs: undefined,
  runLayer: true,
  turns: 0,
  threads: true,
  spec: undefined,
  results: [],
  answers: [],
};
