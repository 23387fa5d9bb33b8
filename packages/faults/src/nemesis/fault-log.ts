export type FaultKind =
  | 'kill'
  | 'freeze'
  | 'wake'
  | 'drain'
  | 'cut'
  | 'black-hole'
  | 'one-way'
  | 'slow'
  | 'lossy'
  | 'heal'
  | 'database-kill'
  | 'database-freeze'
  | 'broker-kill'
  | 'lost-commit'
  | 'duplicate'
  | 'late-duplicate'
  | 'disk-full'
  | 'read-only'
  | 'model';

/** Something that the suite did to the system. */
export interface Fault {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly kind: FaultKind;
  /** A process, a link, or what the model did. */
  readonly target: string;
}

/** Kinds that end something that was done before: they harm nothing themselves. */
const repairs: ReadonlySet<FaultKind> = new Set(['wake', 'heal']);

/** What was really done, in the order of time: what is meant but not done proves nothing. */
export class FaultLog {
  readonly faults: Fault[] = [];

  add(kind: FaultKind, target: string): void {
    this.faults.push({ atMs: Date.now(), kind, target });
  }

  /** How many faults of a kind there were, on targets whose name begins with `prefix`. */
  count(kind: FaultKind, prefix = ''): number {
    return this.faults.filter((fault) => fault.kind === kind && fault.target.startsWith(prefix)).length;
  }

  byKind(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { kind } of this.faults.filter((fault) => !repairs.has(fault.kind))) {
      counts[kind] = (counts[kind] ?? 0) + 1;
    }
    return counts;
  }
}
