/** What lines of the services' logs are counted, by what they show. */
const counted = {
  /** Somebody who was fenced wanted to write, to call or to go on. */
  fenceRefusals: /"reason":"FENCED"|FENCED|run taken over by another dispatch/,
  /** A transaction of unknown outcome was found to have been committed. */
  ambiguousCommits: /append had been committed before/,
  /** A watcher whose queue was full has read the rows instead. */
  catchUps: /watcher catches up from the log/,
  takeOvers: /run taken for another attempt/,
  leasesLost: /lease lost/,
  /** A driver found that somebody else had written in its epoch. */
  secondWriters: /another writer appended/,
  databaseOutages: /DATABASE_UNAVAILABLE/,
  errors: /"level":50/,
} as const;

export type LogCount = keyof typeof counted;
export type LogCounts = Readonly<Record<LogCount, number>>;

/** Lines that a process has written last. */
const keptLines = 30;

/** Reads the log of one process or more: counts what tells of faults, and keeps what was said last. */
export class ServiceLog {
  readonly #counts = Object.fromEntries(Object.keys(counted).map((name) => [name, 0])) as Record<LogCount, number>;
  readonly #last: string[] = [];
  #rest = '';

  get counts(): LogCounts {
    return { ...this.#counts };
  }

  get lastWords(): string {
    return [...this.#last, this.#rest].join('\n').trim();
  }

  accept(chunk: string): void {
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      this.#count(line);
      this.#last.push(line);
    }
    this.#last.splice(0, this.#last.length - keptLines);
  }

  #count(line: string): void {
    for (const [name, pattern] of Object.entries(counted) as [LogCount, RegExp][]) {
      if (pattern.test(line)) {
        this.#counts[name] += 1;
      }
    }
  }
}

/** The sum over several logs. */
export function sumCounts(logs: readonly LogCounts[]): LogCounts {
  const sum = new ServiceLog().counts as Record<LogCount, number>;
  for (const counts of logs) {
    for (const [name, count] of Object.entries(counts) as [LogCount, number][]) {
      sum[name] += count;
    }
  }
  return sum;
}
