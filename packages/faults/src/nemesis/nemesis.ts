import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '../cluster/cluster.ts';
import type { ServiceProcess } from '../cluster/service-process.ts';
import type { Direction } from '../links/link-conditions.ts';
import type { TcpLink } from '../links/tcp-link.ts';
import type { Random } from '../random.ts';
import { BrokerEcho } from './broker-echo.ts';
import { isCommit } from './commit-packet.ts';
import type { FaultLog } from './fault-log.ts';

export interface NemesisOptions {
  readonly cluster: Cluster;
  readonly faults: FaultLog;
  readonly random: Random;
}

/** Who does harm, and writes down what it did. */
export class Nemesis {
  readonly #cluster: Cluster;
  readonly #faults: FaultLog;
  readonly #random: Random;

  constructor({ cluster, faults, random }: NemesisOptions) {
    this.#cluster = cluster;
    this.#faults = faults;
    this.#random = random;
  }

  kill(replica: ServiceProcess): void {
    if (replica.kill()) {
      this.#faults.add('kill', replica.name);
    }
  }

  async freeze(replica: ServiceProcess, ms: number): Promise<void> {
    if (replica.freeze()) {
      this.#faults.add('freeze', replica.name);
      await delay(ms);
      replica.wake();
      this.#faults.add('wake', replica.name);
    }
  }

  /** SIGTERM, then a new process, as a rollout does it. */
  async roll(replica: ServiceProcess, graceMs: number): Promise<void> {
    this.#faults.add('drain', replica.name);
    await replica.restart(graceMs);
  }

  async killDatabase(downMs: number): Promise<void> {
    await this.#cluster.database.kill();
    this.#faults.add('database-kill', 'database');
    await delay(downMs);
    await this.#cluster.database.start();
    this.#faults.add('heal', 'database');
  }

  async freezeDatabase(ms: number): Promise<void> {
    this.#cluster.database.freeze();
    this.#faults.add('database-freeze', 'database');
    await delay(ms);
    this.#cluster.database.wake();
    this.#faults.add('wake', 'database');
  }

  async killBroker(downMs: number): Promise<void> {
    await this.#cluster.broker.kill();
    this.#faults.add('broker-kill', 'broker');
    await delay(downMs);
    await this.#cluster.broker.start();
    this.#faults.add('heal', 'broker');
  }

  /** Until it is disposed, everything that the broker carries is delivered at least three times: at once, and late. */
  repeatMessages(): Disposable {
    return new BrokerEcho({
      port: this.#cluster.brokerPort,
      repeatAfterMs: () => [0, this.#random.between(300, 6000)],
      onRepeat: (subject, afterMs) => this.#faults.add(afterMs === 0 ? 'duplicate' : 'late-duplicate', subject),
    });
  }

  /** The next commit on a link to the database is made, and its answer is lost with the connection. */
  loseCommit({ name, conditions }: TcpLink): void {
    conditions.losesAnswerTo = (request) => {
      if (!isCommit(request)) {
        return false;
      }
      conditions.losesAnswerTo = () => false;
      this.#faults.add('lost-commit', name);
      return true;
    };
  }

  cut(link: TcpLink): void {
    if (link.cut() > 0) {
      this.#faults.add('cut', link.name);
    }
  }

  /** Nothing passes for a while, in one direction or both, and nothing is closed. */
  async hold(link: TcpLink, ms: number, ...directions: readonly Direction[]): Promise<void> {
    link.conditions.hold(...directions);
    this.#faults.add(directions.length > 1 ? 'black-hole' : 'one-way', link.name);
    await delay(ms);
    link.conditions.heal();
    this.#faults.add('heal', link.name);
  }

  /** Nothing gets from a link to one of its backends, or back, for a while; the others are there. */
  async partition(link: TcpLink, backend: number, ms: number): Promise<void> {
    link.towards[backend]?.hold('forth', 'back');
    this.#faults.add('black-hole', `${link.name}-${backend}`);
    await delay(ms);
    link.towards[backend]?.heal();
    this.#faults.add('heal', `${link.name}-${backend}`);
  }

  /** Late and in small pieces for a while. */
  async slow(link: TcpLink, ms: number): Promise<void> {
    link.conditions.delayMs = this.#random.between(5, 50);
    link.conditions.sliceBytes = this.#random.between(200, 1500);
    this.#faults.add('slow', link.name);
    await delay(ms);
    link.conditions.heal();
    this.#faults.add('heal', link.name);
  }

  /** Harms now and then until the signal; waits for the harm that goes on then. */
  async harass(
    everyMs: readonly [number, number],
    signal: AbortSignal,
    harm: () => Promise<void> | void,
  ): Promise<void> {
    while (!signal.aborted) {
      await delay(this.#random.between(...everyMs), undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) {
        await harm();
      }
    }
  }
}
