/** A version of a path of a disk, as far as it decides what is kept. */
export interface KeptVersion {
  /** Names its path. */
  readonly key: string;
  /** False for what was a directory or a mark there: nobody lists it. */
  readonly isFile: boolean;
  /** The change that wrote it. */
  readonly head: number;
  /** The change that replaced it: the disk had it from `head` until before that. */
  readonly toHead: number;
  /** When that was, milliseconds since 1970 UTC. */
  readonly supersededMs: number;
}

export interface VersionRules {
  /** Versions of a file that are kept, those that replaced others last. */
  readonly keep: number;
  /** What was replaced until then goes. */
  readonly agedMs: number;
  /** What was replaced after that stays: a view that is opened at this moment may need it. */
  readonly settledMs: number;
  /** The changes up to which views see the disk, rising: what it had right after one of them stays. */
  readonly pins: readonly number[];
}

/** Those of all versions of some paths that go. */
export function prunableVersions<Version extends KeptVersion>(
  versions: readonly Version[],
  { keep, agedMs, settledMs, pins }: VersionRules,
): readonly Version[] {
  const newer = new Map<string, number>();
  return versions
    .toSorted((left, right) => right.head - left.head)
    .filter((version) => {
      const { key, isFile, supersededMs } = version;
      const rank = newer.get(key) ?? 0;
      newer.set(key, rank + (isFile ? 1 : 0));
      const isUnlisted = !isFile || rank >= keep || supersededMs <= agedMs;
      return isUnlisted && supersededMs <= settledMs && !isPinned(version, pins);
    });
}

function isPinned({ head, toHead }: KeptVersion, pins: readonly number[]): boolean {
  let [from, to] = [0, pins.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((pins[middle] ?? 0) < head) {
      from = middle + 1;
    } else {
      to = middle;
    }
  }
  return (pins[from] ?? toHead) < toHead;
}
