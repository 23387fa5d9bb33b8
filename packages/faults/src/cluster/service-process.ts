import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { DomainError } from '@spanwise/kernel';
import type { Environment } from '@spanwise/service-kit';
import type { ProcessExit } from '../evidence/evidence.ts';
import type { Backend } from '../links/tcp-link.ts';
import { ReadinessProbe } from './readiness-probe.ts';
import { ServiceLog } from './service-log.ts';
import { programOf, type ServiceName } from './service-program.ts';

export interface ServiceProcessOptions {
  readonly service: ServiceName;
  /** From 0. */
  readonly index: number;
  readonly port: number;
  readonly env: Environment;
  /** Everything that its processes write to standard error goes here too. */
  readonly logFile: string;
  /** Milliseconds until it is started again after its process has ended. */
  readonly restartDelayMs: () => number;
}

const startTimeoutMs = 60_000;
const probeMs = 500;

/** One replica of a service, on one port for ever: its process is started again whenever it ends, as in a cluster. */
export class ServiceProcess implements Backend, AsyncDisposable {
  readonly service: ServiceName;
  /** For example `session-0`. */
  readonly name: string;
  readonly port: number;
  readonly exits: ProcessExit[] = [];
  readonly #options: ServiceProcessOptions;
  readonly #log = new ServiceLog();
  #probe: ReadinessProbe | undefined;
  #child: ChildProcess | undefined;
  #isReady = false;
  #isMeant = false;
  #isDraining = false;
  #isFrozen = false;
  #isOver = false;
  #restart: NodeJS.Timeout | undefined;

  constructor(options: ServiceProcessOptions) {
    this.#options = options;
    this.service = options.service;
    this.name = `${options.service}-${options.index}`;
    this.port = options.port;
  }

  /** Process id; undefined while none runs. */
  get pid(): number | undefined {
    const child = this.#child;
    return child?.exitCode === null && child.signalCode === null ? child.pid : undefined;
  }

  get logCounts() {
    return this.#log.counts;
  }

  get isReady(): boolean {
    return this.#isReady && !this.#isDraining && this.pid !== undefined;
  }

  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  isAvailable(): boolean {
    return this.isReady;
  }

  /** Starts it and resolves when it is ready. */
  async start(): Promise<void> {
    this.#launch();
    await this.untilReady();
  }

  async untilReady(): Promise<void> {
    const deadlineMs = performance.now() + startTimeoutMs;
    while (!this.isReady) {
      if (performance.now() > deadlineMs) {
        const what = `${this.name} is not ready after ${startTimeoutMs / 1000} s: ${this.#log.lastWords}`;
        throw new DomainError('unavailable', 'SERVICE_UNAVAILABLE', what);
      }
      await delay(50);
    }
  }

  /** kill -9. False when there is no process. */
  kill(): boolean {
    this.#isMeant = true;
    this.#isReady = false;
    this.#isFrozen = false;
    return this.pid !== undefined && (this.#child?.kill('SIGKILL') ?? false);
  }

  /** SIGSTOP: it does not even notice that time passes. */
  freeze(): boolean {
    this.#isFrozen = this.pid !== undefined && (this.#child?.kill('SIGSTOP') ?? false);
    return this.#isFrozen;
  }

  wake(): void {
    this.#child?.kill('SIGCONT');
    this.#isFrozen = false;
  }

  /** SIGTERM, and SIGKILL when it still runs after the grace. Resolves when the next process is ready. */
  async restart(graceMs: number): Promise<void> {
    await this.#terminate(graceMs);
    await this.untilReady();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    clearTimeout(this.#restart);
    if (this.#isFrozen) {
      this.wake();
    }
    this.kill();
    while (this.pid !== undefined) {
      await delay(10);
    }
    this.#probe?.[Symbol.dispose]();
  }

  async #terminate(graceMs: number): Promise<void> {
    const child = this.#child;
    if (child === undefined || this.pid === undefined) {
      return;
    }
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    this.#isMeant = true;
    this.#isDraining = true;
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), graceMs);
    await exited;
    clearTimeout(killer);
  }

  #launch(): void {
    const { service, env, logFile, port } = this.#options;
    const child = spawn(process.execPath, [programOf(service)], {
      env: { ...env, SPANWISE_PORT: String(port) },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    [this.#isMeant, this.#isDraining, this.#isFrozen, this.#isReady] = [false, false, false, false];
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    child.stderr.on('data', (chunk: Buffer) => {
      this.#log.accept(chunk.toString());
      appendFileSync(logFile, chunk);
    });
    child.once('exit', (code, signal) => {
      process.off('exit', kill);
      this.#ended(code, signal);
    });
    void this.#watchReadiness(child);
  }

  #ended(code: number | null, signal: NodeJS.Signals | null): void {
    this.#isReady = false;
    const isMeant = this.#isMeant || this.#isOver;
    const lastWords = isMeant ? '' : this.#log.lastWords;
    this.exits.push({ process: this.name, atMs: Date.now(), code, signal, isMeant, lastWords });
    if (!this.#isOver) {
      this.#restart = setTimeout(() => this.#launch(), this.#options.restartDelayMs());
    }
  }

  /** Looks at its health as long as this process lives; often until it is ready, seldom afterwards. */
  async #watchReadiness(child: ChildProcess): Promise<void> {
    this.#probe?.[Symbol.dispose]();
    const probe = new ReadinessProbe(this.port);
    this.#probe = probe;
    while (child.exitCode === null && child.signalCode === null && !this.#isOver) {
      const isServing = await probe.isServing();
      if (this.#child === child) {
        this.#isReady = isServing && child.exitCode === null && child.signalCode === null;
      }
      await delay(isServing ? probeMs : 50);
    }
    probe[Symbol.dispose]();
  }
}
