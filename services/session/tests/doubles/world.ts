import { ErrorReason } from '@spanwise/contracts/spanwise/error/v1/error';
import { brandId, type DomainError, type ErrorKind, type RunId, type SessionId, type Uid } from '@spanwise/kernel';
import { fakeClock, fakeIds } from '@spanwise/testing';
import { noPolicy } from '@spanwise/tool-kit/contract';
import { AnnounceCancel } from '../../src/application/announce-cancel.ts';
import { AnswerInterrupt } from '../../src/application/answer-interrupt.ts';
import { CancelRun } from '../../src/application/cancel-run.ts';
import { Disconnects } from '../../src/application/disconnects.ts';
import { DriveRun } from '../../src/application/drive-run.ts';
import { ManageSessions } from '../../src/application/manage-sessions.ts';
import type { Publication } from '../../src/application/ports/run-files.ts';
import { RunDrivers } from '../../src/application/run-drivers.ts';
import { RunSession } from '../../src/application/run-session.ts';
import { SessionHub } from '../../src/application/session-hub.ts';
import { StartRun } from '../../src/application/start-run.ts';
import { TakeOver } from '../../src/application/take-over.ts';
import { WatchSession } from '../../src/application/watch-session.ts';
import type { AgentEvent } from '../../src/domain/event/agent-event.ts';
import type { EventLog } from '../../src/domain/event/event-log.ts';
import type { ClosedSpan } from '../../src/domain/run/open-work.ts';
import { isOver, type Run, type RunOptions } from '../../src/domain/run/run.ts';
import type { RunRepository } from '../../src/domain/run/run-repository.ts';
import { AesTokenSeal, tokenKeyBytes } from '../../src/infrastructure/aes-token-seal.ts';
import { protoMessageCodec } from '../../src/infrastructure/codec/proto-message-codec.ts';
import { HmacPageTokens } from '../../src/infrastructure/hmac-page-tokens.ts';
import { InMemoryEventLog, InMemoryLlmContext } from '../../src/infrastructure/persistence/in-memory-event-log.ts';
import {
  InMemoryInstanceRepository,
  InMemoryInterruptRepository,
} from '../../src/infrastructure/persistence/in-memory-instance-repository.ts';
import { InMemoryRunRepository } from '../../src/infrastructure/persistence/in-memory-run-repository.ts';
import { InMemorySessionRepository } from '../../src/infrastructure/persistence/in-memory-session-repository.ts';
import { InMemoryStore } from '../../src/infrastructure/persistence/in-memory-store.ts';
import { FakeFences } from './fake-fences.ts';
import { FakeRunFiles } from './fake-run-files.ts';
import { FakeRuntime } from './fake-runtime.ts';

export const alice = { uid: brandId<Uid>('alice'), email: 'alice@example.org', token: 'secret' };
export const bob = { uid: brandId<Uid>('bob'), email: '', token: '' };
export const instanceId = '00000000-0000-7000-8000-0000000000ee';
export const options: RunOptions = {
  agent: 'default',
  model: '',
  maxTurns: 0,
  toolsAllow: [],
  toolsDeny: [],
  timeoutMs: undefined,
  interactive: true,
  onCancel: 'keep',
  toolPolicy: noPolicy,
};

const codes: Partial<Record<ErrorKind, number>> = { aborted: 10, internal: 13, unavailable: 14 };

/** As the real one, without loading all of service-kit into every unit test. */
function toAgentError({ kind, reason, message }: DomainError) {
  const number = ErrorReason[reason as keyof typeof ErrorReason];
  return { code: codes[kind] ?? 2, reason: number, message, retryable: kind === 'unavailable' };
}

/** Lets everything run that waits for nothing but other code of this process. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export interface WorldReplacements {
  /** What two processes share. */
  readonly store?: InMemoryStore;
  readonly runFiles?: FakeRunFiles;
  /** Puts something around the log that runs are written to. */
  readonly log?: (log: EventLog) => EventLog;
  readonly runs?: (runs: RunRepository) => RunRepository;
}

/** The use cases of the session service on in-memory repositories, with a runtime that the test plays. */
export function inMemoryWorld(replacements: WorldReplacements = {}) {
  const clock = fakeClock();
  const ids = fakeIds();
  const store = replacements.store ?? new InMemoryStore(clock);
  const sessions = new InMemorySessionRepository(store);
  const ownRuns = new InMemoryRunRepository(store);
  const ownLog = new InMemoryEventLog(store);
  const runs = replacements.runs?.(ownRuns) ?? ownRuns;
  const log = replacements.log?.(ownLog) ?? ownLog;
  const context = new InMemoryLlmContext(store);
  const hub = new SessionHub();
  const runtime = new FakeRuntime();
  const fences = new FakeFences();
  const runFiles = replacements.runFiles ?? new FakeRunFiles();
  const instances = new InMemoryInstanceRepository(store);
  const interrupts = new InMemoryInterruptRepository(store);
  const codec = protoMessageCodec;
  const tokens = new AesTokenSeal([new Uint8Array(tokenKeyBytes)]);
  const pageTokens = new HmacPageTokens('key of the test');
  const exported: ClosedSpan[] = [];
  const lost: { readonly run: Run; readonly error: unknown }[] = [];
  const sent: RunId[] = [];
  const spans = { export: (span: ClosedSpan) => void exported.push(span), traceFlags: () => 1 };
  const signal = { send: async (runId: RunId) => void sent.push(runId) };
  const taken: { readonly run: Run; readonly reason: number }[] = [];
  /** What operators are told about files. */
  const unpublished: unknown[] = [];
  const reports = {
    taken: (run: Run, reason: number) => void taken.push({ run, reason }),
    lost: (run: Run, error: unknown) => void lost.push({ run, error }),
    recognised: () => undefined,
    fenceFailed: () => undefined,
    publishFailed: () => void unpublished.push('again'),
    notPublished: (_run: Run, error: unknown) => void unpublished.push(error),
    publishedInPart: (_run: Run, publication: Publication) => void unpublished.push(publication),
    pollFailed: () => undefined,
  };
  const own = { id: instanceId };
  const nextOwnerId = () => (drivers.isLeaving ? undefined : own.id);
  const released: Run[] = [];
  const driveRun = new DriveRun({
    ...{
      runs,
      codec,
      tokens,
      clock,
      ids,
      toAgentError,
      nextOwnerId,
      runtime,
      fences,
      runFiles,
      log,
      context,
      hub,
      spans,
      reports,
    },
    instanceId: () => own.id,
    announceReleased: (run) => void released.push(run),
  });
  const drivers: RunDrivers = new RunDrivers(driveRun, tokens);
  const takeOver = new TakeOver({ ...{ runs, drivers, reports, clock }, staleLeaseMs: 9000, instanceId: () => own.id });
  const peers = { notifyCancel: async () => false };
  const announceCancel = new AnnounceCancel({ runs, instances, drivers, takeOver, signal, peers, hub, reports });
  const startRun = new StartRun({
    ...{ runs, codec, spans, clock, ids, drivers, announceCancel, tokens },
    instanceId: () => own.id,
  });
  const cancelRun = new CancelRun({ sessions, runs, announceCancel, clock });
  const disconnects = new Disconnects({ runs, onError: () => undefined });
  void instances.register({ id: instanceId, address: 'http://127.0.0.1:1' }, 15_000);
  return {
    ...{ clock, ids, store, sessions, runs, log, context, hub, runtime, codec, pageTokens, drivers, driveRun },
    ...{ startRun, cancelRun, disconnects, spans, exported, lost, sent, fences, takeOver, taken, released },
    ...{ instances, interrupts, own, reports, runFiles, unpublished },
    runSession: new RunSession({ startRun, cancelRun, sessions, runs, log, hub, disconnects }),
    watchSession: new WatchSession({ sessions, runs, log, hub }),
    manageSessions: new ManageSessions({ sessions, announceCancel, pageTokens, clock, ids }),
    answerInterrupt: new AnswerInterrupt({ sessions, runs, interrupts, takeOver, tokens, clock }),
  };
}

export type World = ReturnType<typeof inMemoryWorld>;

/** A session of Alice's. */
export async function openSession({ manageSessions }: World): Promise<SessionId> {
  return (await manageSessions.create(alice, { title: '', requestId: '', toolPolicy: noPolicy })).id;
}

/** A run in a session, and the executor that it was dispatched to. */
export async function startRunIn(world: World, sessionId: SessionId, more: Partial<RunOptions> = {}) {
  const asked = { options: { ...options, ...more }, requestId: '', busyPolicy: 'reject' } as const;
  const request = { caller: alice, sessionId, input: [['hello']], ...asked };
  const started = await world.startRun.execute(request);
  await settled();
  return { ...started, sessionId, executor: world.runtime.last };
}

export async function startedRun(world: World, more: Partial<RunOptions> = {}) {
  return startRunIn(world, await openSession(world), more);
}

/** All rows of a session's log. */
export function rowsOf({ store }: World, sessionId: SessionId): readonly AgentEvent[] {
  return store.sessions.get(sessionId)?.events ?? [];
}

/** Another process takes the run that is not over, and says nothing of it. */
export async function claimSilently({ store, runs, clock }: World, ownerId: string) {
  const run = [...store.runs.values()].find(({ status }) => !isOver(status));
  const claim = { ownerId, wasLost: true, nowMs: clock.nowMs(), announce: () => [] };
  return run === undefined ? undefined : runs.claim({ run, ...claim });
}
