import type { Clock, RunId, SessionId } from '@spanwise/kernel';
import type { Caller } from '../domain/disk/caller.ts';
import { isVersioned } from '../domain/disk/versioned-store.ts';
import type { Mount } from '../domain/view/mount.ts';
import { type MountTemplate, mountFor } from '../domain/view/mount-template.ts';
import { SessionView } from '../domain/view/session-view.ts';
import { viewNotFound } from '../domain/view/view-errors.ts';
import type { ViewRepository } from '../domain/view/view-repository.ts';
import type { Disks } from './view-disks.ts';

export interface OpenViewDeps {
  readonly views: ViewRepository;
  readonly disks: Disks;
  readonly templates: readonly MountTemplate[];
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Hex digest of a text, at most 64 characters. */
  readonly digest: (text: string) => string;
}

export interface OpenViewRequest {
  readonly viewId: RunId;
  readonly sessionId: SessionId;
  /** Whether changes are kept in a layer; decided when the view is first opened. */
  readonly hasLayer?: boolean | undefined;
}

/** Makes the view of a run from the configuration of now, or answers the one that was made before. */
export class OpenView {
  readonly #deps: OpenViewDeps;

  constructor(deps: OpenViewDeps) {
    this.#deps = deps;
  }

  /** Throws VIEW_NOT_FOUND when the id belongs to another user or session, FENCED when its session's data was deleted. */
  async execute(caller: Caller, request: OpenViewRequest): Promise<SessionView> {
    const { views } = this.#deps;
    const view = (await views.find(request.viewId)) ?? (await views.addIfAbsent(await this.#make(caller, request)));
    if (view.uid !== caller.uid || view.sessionId !== request.sessionId) {
      throw viewNotFound();
    }
    return view;
  }

  async #make({ uid }: Caller, { viewId, sessionId, hasLayer }: OpenViewRequest): Promise<SessionView> {
    const { templates, clock, digest } = this.#deps;
    const mounts = templates.map((template) => mountFor(template, { uid, sessionId, digest }));
    const pins = hasLayer === true ? await this.#pins(mounts) : undefined;
    return new SessionView({ id: viewId, uid, sessionId, mounts, createTimeMs: clock.nowMs(), pins });
  }

  async #pins(mounts: readonly Mount[]): Promise<ReadonlyMap<string, number>> {
    // What is not changed by runs is seen as it is.
    const pinned = mounts.filter(({ writer }) => writer === undefined);
    const names = new Set(pinned.flatMap(({ sources }) => sources.map(({ disk }) => disk)));
    const pins = new Map<string, number>();
    for (const name of names) {
      const disk = this.#deps.disks.get(name);
      if (disk !== undefined && isVersioned(disk)) {
        pins.set(name, await disk.head());
      }
    }
    return pins;
  }
}
