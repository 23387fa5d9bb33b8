/** Why a name is no folder that can be entered: nothing there, a link (never followed), or something else. */
export type NoFolder = 'missing' | 'link' | 'other';

/** A folder of the host that is held, so that what is below it is reached from it and never from its path again. */
export interface Folder extends AsyncDisposable {
  /** Where system calls find the folder itself. */
  readonly location: string;

  /** Where system calls find an entry; the last component is the entry itself, so that O_NOFOLLOW protects it. */
  locationOf(name: string): string;

  /** Enters a folder in this one, unless it is a link. */
  enter(name: string): Promise<Folder | NoFolder>;

  /** Makes renames in it survive a power cut, where the system can. */
  sync(): Promise<void>;
}
