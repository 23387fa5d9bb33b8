/** A folder or file of the host, and where the command sees it. */
export interface Binding {
  readonly source: string;
  readonly path: string;
  readonly isReadOnly: boolean;
}

/** What a namespace is made of. */
export interface Namespace {
  /** What of the host's system folders is there; see {@link SystemFolders}. */
  readonly system: SystemFolders;
  /** Outer folders before those that lie in them. */
  readonly bindings: readonly Binding[];
  /** Folders of the host that would be seen through the system folders, and are covered by empty ones. */
  readonly hiddenFolders: readonly string[];
  /** Where the command starts. */
  readonly cwd: string;
  /** Bytes of `/tmp` and of `/dev/shm`, each. */
  readonly temporaryBytes: number;
}

/** The host's programs and libraries, as far as they are there. */
export interface SystemFolders {
  /** Real folders and files, read-only at the same path. */
  readonly bound: readonly string[];
  /** Links of the root, such as `/bin`, and where they lead. */
  readonly links: readonly { readonly path: string; readonly target: string }[];
}

/** The user that a command sees itself as; what it is for the host is another matter. */
export const innerUser = { uid: 1000, gid: 1000, name: 'user' };

/** What a command has as environment, whatever the host has. */
const environment = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  HOME: '/tmp',
  USER: innerUser.name,
  LANG: 'C.UTF-8',
  TERM: 'dumb',
};

/** Descriptors that bubblewrap is started with, besides the three of every process. */
export const descriptors = { arguments: 3, status: 4, block: 5, gate: 6 };

/**
 * Arguments of a bubblewrap around that other one, which has the whole host and only holds processes: the init of the inner
 * namespace can be traced by the command, which could make it outlive everybody. The init of this one is out of reach.
 */
export const outerArguments: readonly string[] = [
  ...['--unshare-user', '--unshare-pid', '--die-with-parent', '--dev-bind', '/', '/'],
  ...['--json-status-fd', String(descriptors.status), '--block-fd', String(descriptors.block)],
];

/**
 * Arguments of bubblewrap, the inner one: everything unshared, the root and `/dev` read-only and made of what is
 * named, further user namespaces forbidden, and nothing that runs once bubblewrap is gone.
 */
export function bwrapArguments({ system, bindings, hiddenFolders, cwd, temporaryBytes }: Namespace): string[] {
  const { uid, gid } = innerUser;
  const sized = (path: string) => ['--perms', '1777', '--size', String(temporaryBytes), '--tmpfs', path];
  return [
    ...['--unshare-all', '--unshare-user', '--disable-userns', '--die-with-parent', '--new-session'],
    ...['--cap-drop', 'ALL', '--clearenv', '--uid', String(uid), '--gid', String(gid), '--hostname', 'sandbox'],
    ...Object.entries(environment).flatMap(([name, value]) => ['--setenv', name, value]),
    ...system.bound.flatMap((path) => ['--ro-bind', path, path]),
    ...system.links.flatMap(({ path, target }) => ['--symlink', target, path]),
    ...hiddenFolders.flatMap((path) => ['--tmpfs', path, '--remount-ro', path]),
    ...['--proc', '/proc', '--dev', '/dev', ...sized('/dev/shm'), ...sized('/tmp')],
    ...bindings.flatMap(({ source, path, isReadOnly }) => [isReadOnly ? '--ro-bind' : '--bind', source, path]),
    // Both are file systems in memory without a limit.
    ...['--remount-ro', '/dev', '--remount-ro', '/', '--chdir', cwd],
  ];
}
