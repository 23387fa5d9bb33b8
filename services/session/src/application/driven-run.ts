import { eventTime, spanKind } from '../domain/event/agent-event.ts';
import { fenced } from '../domain/event/event-errors.ts';
import type { EventLog } from '../domain/event/event-log.ts';
import type { RunGuard } from '../domain/run/guards.ts';
import type { Run } from '../domain/run/run.ts';
import type { ClaimedRun, StartedRun } from '../domain/run/run-repository.ts';
import { announceAttempt } from './announce-attempt.ts';
import { Backoff } from './backoff.ts';
import type { DriveSignals } from './drive-signals.ts';
import { type EndRunDeps, endRun } from './end-run.ts';
import type { AgentRuntime, ExecutorEnd } from './ports/agent-runtime.ts';
import type { Caller } from './ports/caller.ts';
import type { Fences } from './ports/fences.ts';
import type { SpanExporter } from './ports/span-exporter.ts';
import type { TokenSeal } from './ports/token-seal.ts';
import { rootSpanStart } from './root-span.ts';
import { RunWriter } from './run-writer.ts';
import type { Publisher, SessionHub } from './session-hub.ts';
import { StopReceipt } from './stop-receipt.ts';
import { throughOutage } from './through-outage.ts';

/** Events of a run that one look into the log reads. */
const logPage = 500;
/** How long an executor may take to stop by itself. */
const askExecutorMs = 500;
/** How long tools may take to be stopped, all in all. */
const stopToolsMs = 7_500;

export interface DriveRunDeps extends EndRunDeps {
  readonly runtime: AgentRuntime;
  readonly fences: Fences;
  readonly log: EventLog;
  readonly hub: SessionHub;
  readonly tokens: TokenSeal;
  readonly spans: SpanExporter;
  /** Id of this process: the owner of what it drives. */
  readonly instanceId: () => string;
  /** Only for tests that show what a guard is for. */
  readonly without?: ReadonlySet<RunGuard>;
}

/** A run in the hands of this process: its current dispatch, its one appender, and the transactions about it. */
export class DrivenRun implements Disposable {
  readonly writer: RunWriter;
  /** `lost` is aborted as well when nothing can be stored any more. */
  readonly signals: DriveSignals;
  readonly #deps: DriveRunDeps;
  #caller: Caller;
  #taken: StartedRun;
  /** Whether tool-host and filesystem are shut against the dispatches before. */
  #isFenced: boolean;
  #receipt: StopReceipt | undefined;
  #stopTimer: NodeJS.Timeout | undefined;
  #stopping: Promise<boolean> | undefined;

  constructor(
    deps: DriveRunDeps,
    taken: StartedRun | ClaimedRun,
    caller: Caller,
    publisher: Publisher,
    signals: DriveSignals,
  ) {
    const failure = new AbortController();
    const { run, lastSeq, lastContextSeq } = taken;
    this.#deps = deps;
    this.#taken = taken;
    this.#caller = caller;
    this.#isFenced = claimedOf(taken) === undefined;
    this.signals = { ...signals, lost: AbortSignal.any([signals.lost, failure.signal]) };
    this.writer = new RunWriter(
      {
        log: deps.log,
        publisher,
        clock: deps.clock,
        onSpanClosed: (span) => {
          deps.spans.export(span, run.span.traceFlags);
          this.#receipt?.noteClosed(span);
        },
        onFailure: (error) => failure.abort(error),
      },
      { sessionId: run.sessionId, runId: run.id, epoch: run.epoch, lastSeq, lastContextSeq },
    );
  }

  get run(): Run {
    return this.#taken.run;
  }

  /** The user of the run, with the token that they have signed in with last. */
  get caller(): Caller {
    return this.#caller;
  }

  /** Takes note of what earlier drivers have stored, and of what the claim has told. Comes first. */
  async restore(): Promise<void> {
    const { run } = this.#taken;
    const claimed = claimedOf(this.#taken);
    if (claimed === undefined) {
      this.writer.work.note(rootSpanStart(run, this.#deps.clock.nowMs()));
      return;
    }
    await this.#readLog(claimed.lastSeq - claimed.events.length);
    if (run.cancelRequestedAtMs !== undefined) {
      this.#receipt = new StopReceipt(this.writer.work.openSpans());
    }
    this.writer.continueAs({ ...claimed, nowMs: this.#deps.clock.nowMs() });
  }

  async #readLog(untilSeq: number): Promise<void> {
    const { sessionId, id: runId, startSeq } = this.run;
    const { clock, log } = this.#deps;
    for (let afterSeq = startSeq - 1; ; ) {
      const query = { sessionId, runId, afterSeq, untilSeq, limit: logPage };
      const events = await throughOutage(clock, () => log.read(query));
      events.forEach((event) => this.writer.restore(event, clock.nowMs()));
      afterSeq = Number(events.at(-1)?.seq ?? afterSeq);
      if (events.length < logPage) {
        return;
      }
    }
  }

  /** Takes the run again, for another dispatch. Throws FENCED when it is somebody else's by now. */
  async claim(reason: number, wasLost: boolean): Promise<void> {
    const { clock, runs, reports, tokens } = this.#deps;
    // Nothing may be appended between this and the claim.
    this.writer.stop();
    await this.writer.committed();
    const nowMs = clock.nowMs();
    const ownerId = this.#deps.instanceId();
    const announce = announceAttempt(clock, reason, this.#deps.without);
    const claimed = await throughOutage(clock, () => runs.claim({ run: this.run, ownerId, wasLost, nowMs, announce }));
    if (claimed === undefined) {
      throw fenced();
    }
    reports.taken(claimed.run, reason);
    if (claimed.run.sealedToken !== this.run.sealedToken) {
      // The user has signed in again while the run was driven here.
      this.#caller = { ...this.#caller, token: tokens.open(claimed.run.sealedToken, claimed.run.id) };
    }
    this.#taken = claimed;
    this.#isFenced = false;
    this.writer.continueAs({ ...claimed, nowMs });
  }

  /**
   * Claim → fence → act: when it resolves true, nobody but the coming dispatch can begin anything.
   * Guards: fencesBeforeDispatch.
   */
  async fence(signal: AbortSignal): Promise<boolean> {
    const backoff = new Backoff();
    if (this.#deps.without?.has('fencesBeforeDispatch') === true) {
      return true;
    }
    while (!this.#isFenced && !signal.aborted) {
      const { sessionId, epoch } = this.run;
      try {
        await this.#deps.fences.raise(sessionId, epoch, signal);
        this.#isFenced = true;
      } catch (error) {
        this.#deps.reports.fenceFailed(this.run, error);
        await backoff.wait(signal);
      }
    }
    return this.#isFenced;
  }

  /**
   * The run is to stop: keeps what is going on. An executor whose tools are at work is asked first, for it has their
   * results; what it has not stopped soon is stopped by the fences. Where no tool is, the fences are raised meanwhile.
   */
  noteStop(): void {
    const open = this.writer.work.openSpans();
    this.#receipt ??= new StopReceipt(open);
    if (open.some(({ kind }) => kind === spanKind.tool)) {
      this.#stopTimer ??= setTimeout(() => this.#beginStop(), askExecutorMs);
    } else {
      this.#beginStop();
    }
  }

  #beginStop(): void {
    clearTimeout(this.#stopTimer);
    this.#stopping ??= this.#stopTools();
  }

  /** False when nobody could confirm it in time. */
  async #stopTools(): Promise<boolean> {
    const signal = AbortSignal.any([AbortSignal.timeout(stopToolsMs), this.signals.lost]);
    const backoff = new Backoff();
    while (!signal.aborted) {
      try {
        const { sessionId, epoch } = this.run;
        await this.#deps.fences.stop(sessionId, epoch, signal, (call) => this.#receipt?.noteCall(call));
        return true;
      } catch (error) {
        this.#deps.reports.fenceFailed(this.run, error);
        await backoff.wait(signal);
      }
    }
    return false;
  }

  /** Stops what may be going on, then ends the run. `isConfirmed`: the executor said that it has stopped. */
  async stop(end: ExecutorEnd, isConfirmed: boolean): Promise<StartedRun | undefined> {
    this.noteStop();
    this.#beginStop();
    const isShut = (await this.#stopping) ?? false;
    this.signals.lost.throwIfAborted();
    if (this.#receipt !== undefined) {
      this.#receipt.isConfirmed = isConfirmed && isShut;
    }
    return endRun(this.#deps, this, end, this.#receipt);
  }

  /** Ends the run, of which nothing is going on. */
  end(end: ExecutorEnd): Promise<StartedRun | undefined> {
    return endRun(this.#deps, this, end);
  }

  /** Puts the run to sleep. False when it has to go on: its cancel was requested, or everything is answered. */
  async wait(): Promise<boolean> {
    const { clock, runs } = this.#deps;
    this.writer.stop();
    await this.writer.committed();
    const nowMs = clock.nowMs();
    const interrupts = this.writer.work.interrupts();
    const data = { case: 'runWaiting', value: { interrupts } } as const;
    const event = { span: this.run.span.span, time: eventTime(nowMs), data };
    const { append, show } = this.writer.endLast(this.writer.beginLast(), [event]);
    const waits = await throughOutage(clock, () => runs.wait({ append, nowMs }));
    if (waits) {
      show();
    }
    return waits;
  }

  /** Nothing more is written. */
  [Symbol.dispose](): void {
    clearTimeout(this.#stopTimer);
    this.writer.stop();
  }

  /** Lets go of the run, for another replica. */
  async release(): Promise<void> {
    const { clock, runs, announceReleased } = this.#deps;
    this.writer.stop();
    await this.writer.committed();
    const { id, epoch } = this.run;
    if (await throughOutage(clock, () => runs.release(id, epoch, this.#deps.instanceId()))) {
      announceReleased(this.run);
    }
  }
}

function claimedOf(taken: StartedRun | ClaimedRun): ClaimedRun | undefined {
  return 'events' in taken ? taken : undefined;
}
