import { notADirectory } from '../disk/file-errors.ts';
import type { DiskNode } from '../disk/file-store.ts';
import type { VirtualPath } from '../path/virtual-path.ts';
import { type Base, baseOf, type LayerEntry } from './layer-entry.ts';
import type { LayerPut } from './layer-rows.ts';

export interface SeenFacts {
  /** From below the mount down to the path. */
  readonly paths: readonly VirtualPath[];
  /** What the layer has at them. */
  readonly entries: ReadonlyMap<string, LayerEntry>;
  /** What lower layers show at them, as far as they have something. */
  readonly lower: readonly DiskNode[];
}

/** A path, and all above it up to its mount, as a run sees it: its layer over what lower layers show. */
export class SeenPath {
  /** What is seen, from below the mount on, as far as there is something. */
  readonly nodes: readonly DiskNode[];
  readonly #facts: SeenFacts;

  constructor(facts: SeenFacts) {
    this.#facts = facts;
    this.nodes = merge(facts);
  }

  get path(): VirtualPath | undefined {
    return this.#facts.paths.at(-1);
  }

  /** What is seen at the path; undefined when nothing is. */
  get node(): DiskNode | undefined {
    return this.nodes[this.#facts.paths.length - 1];
  }

  /** What the layer has at the path. */
  get entry(): LayerEntry | undefined {
    return this.#entryAt(this.#facts.paths.length - 1);
  }

  /** What lower layers have at the path, also when it is hidden. */
  get lowerNode(): DiskNode | undefined {
    return this.#facts.lower[this.#facts.paths.length - 1];
  }

  /** What publishing compares with. */
  get base(): Base {
    return this.#baseAt(this.#facts.paths.length - 1);
  }

  /** What puts a directory at the path. */
  directory(): LayerPut {
    return this.#directoryAt(this.#facts.paths.length - 1);
  }

  /** What puts the missing directories above the path into the layer. Throws NOT_A_DIRECTORY when a file is in the way. */
  parents(): LayerPut[] {
    const puts: LayerPut[] = [];
    for (const [depth, path] of this.#facts.paths.slice(0, -1).entries()) {
      if (this.nodes[depth]?.kind === 'file') {
        throw notADirectory(path);
      }
      if (this.#entryAt(depth)?.node.kind !== 'directory') {
        puts.push(this.#directoryAt(depth));
      }
    }
    return puts;
  }

  #directoryAt(depth: number): LayerPut {
    const path = this.#facts.paths[depth];
    if (path === undefined) {
      throw new RangeError('no such depth');
    }
    const isHidden = this.#facts.lower[depth]?.kind === 'directory' && this.nodes[depth] === undefined;
    const isOpaque = isHidden || this.#entryAt(depth)?.node.kind === 'whiteout';
    return {
      entry: { path, node: { kind: 'directory', modifyTimeMs: undefined, isOpaque }, base: this.#baseAt(depth) },
    };
  }

  #entryAt(depth: number): LayerEntry | undefined {
    return this.#facts.entries.get(this.#facts.paths[depth]?.text ?? '');
  }

  #baseAt(depth: number): Base {
    return this.#entryAt(depth)?.base ?? baseOf(this.#facts.lower[depth]);
  }
}

function merge({ paths, entries, lower }: SeenFacts): DiskNode[] {
  const nodes: DiskNode[] = [];
  let isLowerSeen = true;
  for (const [depth, { text }] of paths.entries()) {
    const own = entries.get(text)?.node;
    const below: DiskNode | undefined = isLowerSeen ? lower[depth] : undefined;
    const node = own ?? below;
    if (node === undefined || node.kind === 'whiteout') {
      break;
    }
    nodes.push(node.kind === 'file' ? node : { kind: 'directory', modifyTimeMs: node.modifyTimeMs });
    if (node.kind === 'file') {
      break;
    }
    isLowerSeen &&= below?.kind === 'directory' && (own?.kind !== 'directory' || own.isOpaque !== true);
  }
  return nodes;
}
