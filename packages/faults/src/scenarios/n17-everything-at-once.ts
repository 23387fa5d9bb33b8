import { setTimeout as delay } from 'node:timers/promises';
import { SpanwiseError } from '@spanwise/client';
import { BusyPolicy } from '@spanwise/contracts/spanwise/session/v1/session';
import type { RecordedClient } from '../clients/recorded-client.ts';
import type { RunScript, ScriptedTurn } from '../provider/run-script.ts';
import { cancelBy } from './cancels.ts';
import { beginRun, type LoadRun, newSession, runLoad } from './load.ts';
import { probeAsStranger, readPages } from './readers.ts';
import type { Scenario, ScenarioContext } from './scenario.ts';
import { scriptOf, textFor } from './scripts.ts';

/** What a session is doing when everything is done to it. */
const states = ['idle', 'running', 'waiting', 'queued', 'finishing'] as const;
type State = (typeof states)[number];
const uid = 'alice';
const ask: ScriptedTurn = {
  text: 8,
  tools: [{ name: 'ask_user', arguments: { questions: [{ question: 'Which?' }] } }],
};

/** Sessions in every state are deleted, answered, cancelled and enqueued at once, from both replicas. */
export const everythingAtOnce: Scenario = {
  name: 'N17',
  title: 'a session of every state deleted, answered, cancelled and enqueued at once',
  defaultRuns: 60,
  minCompleted: 0.9,
  async play(context) {
    const { sizes } = context;
    const tasks = Array.from({ length: sizes.runs }, (_, index) => states[index % states.length] ?? 'idle');
    const worker = async () => {
      for (let state = tasks.pop(); state !== undefined; state = tasks.pop()) {
        await doEverything(context, state);
      }
    };
    // Others go about their business.
    await Promise.all([...Array.from({ length: 4 }, worker), runLoad(context, { runs: sizes.runs, concurrency: 4 })]);
  },
};

async function doEverything(context: ScenarioContext, state: State): Promise<void> {
  const { random } = context;
  const [here, there] = [context.client(uid, 0), context.client(uid, 1)];
  const sessionId = await newSession(here);
  const run = await bring(context, state, here, sessionId);
  const runId = run === undefined ? '' : await run.runId;
  const deeds: readonly (() => Promise<unknown>)[] = [
    () =>
      here.call('DeleteSession', (sessions, options) =>
        sessions.deleteSession({ sessionId, cancelActiveRun: true }, options),
      ),
    () => answerAll(there, sessionId, runId),
    () => (runId === '' ? Promise.resolve() : cancelBy(there, sessionId, runId, false)),
    () => enqueue(here, sessionId, scriptOf(random, context.outcome.nextNumber(), [textFor(200)])),
    () => enqueue(there, sessionId, scriptOf(random, context.outcome.nextNumber(), [textFor(200)])),
    () => readPages(there, sessionId),
    () => probeAsStranger(context.client('mallory'), sessionId, runId),
  ];
  // Some sessions are not deleted, or nothing would be left to look at.
  const done = random.chance(0.5) ? deeds : deeds.slice(1);
  await Promise.all(
    done.map(async (deed) => {
      await delay(random.between(0, 60));
      await deed().catch(allowed);
    }),
  );
  await run?.done.catch(allowed);
}

async function bring(context: ScenarioContext, state: State, client: RecordedClient, sessionId: string) {
  const { random, outcome } = context;
  const begin = (turns: readonly ScriptedTurn[]): LoadRun =>
    beginRun(context, { client, sessionId, script: scriptOf(random, outcome.nextNumber(), turns) });
  switch (state) {
    case 'idle':
      return undefined;
    case 'running':
    case 'queued': {
      const run = begin([textFor(1500)]);
      await Promise.race([run.saw('textDelta'), run.done]);
      if (state === 'queued') {
        await enqueue(client, sessionId, scriptOf(random, outcome.nextNumber(), [textFor(100)])).catch(allowed);
      }
      return run;
    }
    case 'waiting': {
      const run = begin([ask, textFor(100)]);
      await run.done;
      return run;
    }
    case 'finishing': {
      const run = begin([{ text: 4 }]);
      await Promise.race([run.saw('textEnd'), run.done]);
      return run;
    }
  }
}

async function answerAll(client: RecordedClient, sessionId: string, runId: string): Promise<void> {
  if (runId === '') {
    return;
  }
  const { run } = await client.call('GetRun', (sessions, options) => sessions.getRun({ sessionId, runId }, options));
  for (const { id } of run?.interrupts ?? []) {
    const answer = { sessionId, runId, interruptId: id, answerJson: JSON.stringify({ answers: ['this'] }) };
    await client.call('AnswerInterrupt', (sessions, options) => sessions.answerInterrupt(answer, options));
  }
}

async function enqueue(client: RecordedClient, sessionId: string, script: RunScript): Promise<void> {
  const input = [{ parts: [{ part: { case: 'text' as const, value: JSON.stringify(script) } }] }];
  const request = { sessionId, requestId: script.id, input, busyPolicy: BusyPolicy.ENQUEUE };
  const { run } = await client.call('StartRun', (sessions, options) => sessions.startRun(request, options));
  client.history.add({ kind: 'started', client: client.name, sessionId, requestId: script.id, runId: run?.id ?? '' });
}

/** What the others may have made impossible. Anything else is for the checkers, who see the history. */
const expected = new Set([
  'SESSION_NOT_FOUND',
  'RUN_NOT_FOUND',
  'NO_ACTIVE_RUN',
  'INTERRUPT_NOT_FOUND',
  'SESSION_BUSY',
]);

function allowed(error: unknown): void {
  const failure = SpanwiseError.from(error);
  if (!expected.has(failure.reason) && !failure.isBreak) {
    throw failure;
  }
}
