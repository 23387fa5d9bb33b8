import type { Clock, RunId, SessionId } from '@spanwise/kernel';
import type { Caller } from '../domain/disk/caller.ts';
import { type MountTemplate, mountFor } from '../domain/view/mount-template.ts';
import { SessionView } from '../domain/view/session-view.ts';
import { viewNotFound } from '../domain/view/view-errors.ts';
import type { ViewRepository } from '../domain/view/view-repository.ts';

export interface OpenViewDeps {
  readonly views: ViewRepository;
  readonly templates: readonly MountTemplate[];
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Hex digest of a text, at most 64 characters. */
  readonly digest: (text: string) => string;
}

export interface OpenViewRequest {
  readonly viewId: RunId;
  readonly sessionId: SessionId;
}

/** Makes the view of a run from the configuration of now, or answers the one that was made before. */
export class OpenView {
  readonly #deps: OpenViewDeps;

  constructor(deps: OpenViewDeps) {
    this.#deps = deps;
  }

  /** Throws VIEW_NOT_FOUND when the id belongs to another user or session, FENCED when its session's data was deleted. */
  async execute(caller: Caller, { viewId, sessionId }: OpenViewRequest): Promise<SessionView> {
    const { views, templates, clock, digest } = this.#deps;
    const { uid } = caller;
    const view =
      (await views.find(viewId)) ??
      (await views.addIfAbsent(
        new SessionView({
          id: viewId,
          uid,
          sessionId,
          mounts: templates.map((template) => mountFor(template, { uid, sessionId, digest })),
          createTimeMs: clock.nowMs(),
        }),
      ));
    if (view.uid !== uid || view.sessionId !== sessionId) {
      throw viewNotFound();
    }
    return view;
  }
}
